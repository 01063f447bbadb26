"""A folder with one folder per person."""

from helpers.fake_images import write_image, write_images

from mmreid_ext.datasets.audit.plain_folder import read_plain_folder


def described(found):
    return [(r["pid_name"], r["camid"], r["role"]) for r in found.records]


def test_a_folder_per_person_perhaps_with_cameras(tmp_path):
    write_images(tmp_path, "lea/1.jpg", "lea/2.PNG", "tom/door/1.jpg", "tom/hall/1.jpg", ".x/1.jpg")
    found = read_plain_folder(tmp_path)
    assert described(found) == [
        ("lea", -1, ""),
        ("lea", -1, ""),
        ("tom", 0, ""),
        ("tom", 1, ""),
    ]
    assert [r["pid"] for r in found.records] == [0, 0, 1, 1] and found.findings == []


def test_folders_that_say_what_pictures_are_for(tmp_path):
    write_images(tmp_path, "train/lea/1.jpg", "query/tom/1.jpg", "test/tom/a/1.jpg")
    assert described(read_plain_folder(tmp_path)) == [
        ("tom", -1, "query"),
        ("tom", 0, "gallery"),
        ("lea", -1, "train"),
    ]


def test_what_is_left_out_is_said(tmp_path):
    write_images(tmp_path, "lea/1.jpg", "alone.jpg")
    write_image(tmp_path / "lea" / "2.jpg").rename(tmp_path / "lea" / "no_suffix")
    (tmp_path / "lea" / "notes.md").write_text("hello")
    (finding,) = read_plain_folder(tmp_path).findings
    texts = [group.note for group in finding.groups]
    assert len(texts) == 2
    assert "alone.jpg: it is in no person's folder" in texts[0]
    assert "no_suffix: a JPEG picture whose name does not end like one" in texts[1]


def test_a_folder_without_people_is_a_fault(tmp_path):
    assert [f.kind for f in read_plain_folder(tmp_path).findings] == ["unreadable_set"]
