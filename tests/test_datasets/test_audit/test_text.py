"""The report in a terminal."""

from helpers.fake_images import write_image

from mmreid_ext.datasets.audit.text import report_lines


def test_a_sound_set_in_a_few_lines(shop):
    lines = list(report_lines(shop.audit()))
    assert lines == [
        f"Checked {shop.folder / 'annotations.csv'}",
        "  shop train: 16 images, 4 people, 4 per person, 2 cameras",
        "  shop query: 8 images, 4 people, 2 per person, 2 cameras",
        "  shop gallery: 8 images, 4 people, 2 per person, 2 cameras",
        "  sizes: 64 wide, 128 high",
        "",
        "Nothing is wrong with it.",
    ]


def test_long_lists_are_cut_and_counted(shop):
    for number in range(9):
        shop.add(f"{number}.jpg", b"", "ann", "1", "train")
    path = shop.path("train")
    for number in range(6):
        shop.add(f"copy_{number}.jpg", path, shop.person("train"), "1", "train")
    text = "\n".join(report_lines(shop.audit()))
    assert "9 faults, 1 remark" in text
    assert "FAULT  9 pictures that can't be read" in text and "and 6 others" in text
    assert "remark 1 picture listed more than once" in text and "and 3 others" in text
    assert "0.jpg (ann, train): empty" in text and "4.jpg" not in text


def test_hostile_names_stay_on_their_line(shop):
    shop.rows.append(["a\x1b[31m\x07.jpg", "x\x9b", "1", "train"])
    write_image(shop.folder / "a\x1b[31m\x07.jpg")
    text = "\n".join(report_lines(shop.audit()))
    assert all(c.isprintable() or c == "\n" for c in text)
