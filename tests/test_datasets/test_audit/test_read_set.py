"""A reader's records, and what is wrong with them, without stopping."""

from helpers.drawn_shop import Shop
from helpers.fake_images import write_market

from mmreid_ext.datasets import CSVDataset, Market1501
from mmreid_ext.datasets.audit.read_set import read_set


def kinds(found):
    return {f.kind: [g.note for g in f.groups] for f in found.findings}


def lazily(kind, *args, **options):
    return kind(*args, lazy_init=True, check=False, **options)


def test_the_whole_set_or_what_one_mode_uses(tmp_path):
    write_market(tmp_path)
    whole = read_set(lazily(Market1501, tmp_path), whole=True)
    assert len(whole.records) == 25 and whole.protocol.use_cameras
    train = read_set(lazily(Market1501, tmp_path, max_identities=2), whole=False)
    assert len(train.records) == 8 and train.protocol is None
    test = read_set(lazily(Market1501, tmp_path, mode="test"), whole=False)
    assert len(test.records) == 13 and whole.space == train.space == test.space


def test_counts_names_and_empty_folders_are_noted(tmp_path):
    folder = write_market(tmp_path)
    (folder / "query" / "photo.jpg").write_bytes(b"")
    found = kinds(read_set(lazily(Market1501, tmp_path), whole=True))
    assert set(found) == {"other_files", "not_published"}
    assert "photo.jpg" in found["other_files"][0]


def test_all_wrong_rows_are_noted_and_the_others_are_read(tmp_path):
    shop = Shop(tmp_path / "shop")
    shop.rows += [["x.jpg", "ann", "1", "trian"], ["x.jpg", "ann"], ["", "ann", "1", "train"]]
    path = shop.write()
    found = read_set(lazily(CSVDataset, path.name, path.parent), whole=True)
    assert len(found.records) == 32
    texts = kinds(found)["wrong_row"]
    assert [f"line {line}" in text for line, text in zip((35, 34, 36), texts, strict=True)] == [
        True
    ] * 3


def test_unknown_columns_are_noted_and_left_out(tmp_path):
    shop = Shop(tmp_path / "shop")
    path = shop.write()
    path.write_text(path.read_text().replace("camid", "camidd"))
    found = read_set(lazily(CSVDataset, path.name, path.parent), whole=True)
    assert len(found.records) == 32
    assert "unknown column 'camidd' (did you mean 'camid'?)" in kinds(found)["wrong_row"][0]


def test_wrong_boxes_are_noted_row_by_row(tmp_path):
    shop = Shop(tmp_path / "shop")
    lines = shop.write().read_text().splitlines()
    boxes = ["0,0,10,20", "0,0,1000,20", "a,b,c,d"]
    rows = [
        lines[0] + ",x,y,w,h",
        *(f"{a},{b}" for a, b in zip(lines[1:], boxes * 9, strict=False)),
    ]
    (shop.folder / "boxes.csv").write_text("\n".join(rows[:10]) + "\n")
    found = read_set(lazily(CSVDataset, "boxes.csv", shop.folder), whole=True)
    assert len(found.records) == 3 and len(kinds(found)["wrong_row"]) == 6


def test_what_cannot_be_read_at_all_is_one_finding(tmp_path):
    found = read_set(lazily(Market1501, tmp_path), whole=True)
    assert list(kinds(found)) == ["unreadable_set"] and found.records == []
    (tmp_path / "list.csv").write_text("path,person\na.jpg,1\n")
    found = read_set(lazily(CSVDataset, "list.csv", tmp_path), whole=True)
    assert "unknown column 'person'" in kinds(found)["unreadable_set"][0]


def test_parts_that_stop_a_run_are_noted(tmp_path):
    shop = Shop(tmp_path / "shop")
    shop.rows = [row for row in shop.rows if row[3] == "query" or row[1] == "ann"]
    path = shop.write()
    texts = kinds(read_set(lazily(CSVDataset, path.name, path.parent), whole=True))
    assert len(texts["unusable_part"]) == 2
    assert "at least two identities" in texts["unusable_part"][0]
    assert "no gallery image" in texts["unusable_part"][1]
