import pytest
from helpers.fake_images import write_images

from mmreid_ext.datasets import CSVDataset

HEADER = "path,pid,camid,split\n"
TEST = "q.jpg,3,0,query\ng.jpg,3,1,gallery\n"


@pytest.fixture
def make(tmp_path):
    def write(text, **options):
        write_images(tmp_path / "shop", "q.jpg", "g.jpg", "a.jpg", "b.jpg")
        (tmp_path / "shop" / "list.csv").write_text(text, encoding="utf-8")
        return CSVDataset("shop/list.csv", tmp_path, **options)

    return write


def test_rows_become_records(make, tmp_path):
    dataset = make(HEADER + "a.jpg,12,4,train\nb.jpg,7,2,train\n" + TEST)
    assert dataset.pids.tolist() == [1, 0] and dataset.camids.tolist() == [4, 2]
    assert dataset[0]["img_path"] == str(tmp_path / "shop" / "a.jpg")
    assert dataset[0]["dataset"] == "shop" and dataset[0]["pid"] == 12


def test_absolute_paths_stay(make, tmp_path):
    path = tmp_path / "elsewhere.jpg"
    dataset = make(HEADER + f"{path},1,0,query\ng.jpg,1,1,gallery\n", mode="test")
    assert dataset[0]["img_path"] == str(path)


def test_names_are_numbered_in_sorted_order(make):
    rows = "a.jpg,zoe,door,train\nb.jpg,adam,alley,train\ng.jpg,zoe,alley,train\n"
    dataset = make(HEADER + rows, domain_from="camera")
    assert [dataset[i]["pid"] for i in range(3)] == [1, 0, 1]
    assert dataset.camids.tolist() == dataset.domains.tolist() == [1, 0, 0]


def test_numbers_that_mix_with_names_are_names(make):
    dataset = make(HEADER + "a.jpg,10,0,train\nb.jpg,9,0,train\ng.jpg,x,0,train\n")
    assert dataset.pids.tolist() == [0, 1, 2]  # "10" < "9" < "x"


@pytest.mark.parametrize("camid", ["", "none", "NaN", "-1"])
def test_without_cameras_the_protocol_has_none(make, camid):
    text = HEADER + f"q.jpg,3,{camid},query\ng.jpg,3,{camid},gallery\n"
    dataset = make(text, mode="test")
    assert dataset.camids.tolist() == [-1, -1]
    assert dataset.metainfo["test_sets"]["shop"]["protocol"] == "no_camera"


def test_without_a_camera_column(make):
    dataset = make("path,pid,split\nq.jpg,3,query\ng.jpg,3,gallery\n", mode="test")
    assert dataset.metainfo["test_sets"]["shop"]["protocol"] == "no_camera"
    with pytest.raises(ValueError, match="without 'camid'"):
        make("path,pid,split\na.jpg,3,train\nb.jpg,4,train\n", domain_from="camera")


def test_with_cameras_the_rule_is_on_and_its_failure_explained(make):
    assert make(HEADER + TEST, mode="test").metainfo["test_sets"]["shop"]["protocol"] == "camera"
    with pytest.raises(ValueError, match="No camera labels"):
        make(HEADER + "q.jpg,3,0,query\ng.jpg,3,0,gallery\n", mode="test")
    same_camera = make(
        HEADER + "q.jpg,3,0,query\ng.jpg,3,0,gallery\n", mode="test", protocol="no_camera"
    )
    assert len(same_camera) == 2


def test_a_domain_column_is_used_unless_told_otherwise(make):
    text = "path,pid,camid,split,domain\na.jpg,1,0,train,night\nb.jpg,2,0,train,day\n"
    assert make(text).domains.tolist() == [1, 0]
    assert make(text, domain_from="dataset").num_domains == 1


def test_a_byte_order_mark_and_quotes_of_spreadsheets_are_read(make):
    dataset = make("\ufeff" + 'path,pid,camid,split\n"a,1.jpg",1,0,train\nb.jpg,2,0,train\n')
    assert dataset[0]["img_path"].endswith("a,1.jpg")


@pytest.mark.parametrize(
    "text, message",
    [
        ("file,id\na.jpg,1\n", r"\['path', 'pid', 'split'\] missing"),
        ("", r"columns None"),
        (HEADER + "a.jpg,1,0,train\nb.jpg,2,0,test\n", "line 3: split 'test' is none of train"),
        (HEADER + "a.jpg,,0,train\n", "line 2: path 'a.jpg' and pid ''"),
        (HEADER + "a,1.jpg,1,0,train\n", "line 2"),
        (HEADER + "a.jpg,1,0,train,x\n", "line 2: more values than columns"),
        (HEADER + TEST, "0 training images"),
    ],
)
def test_mistakes_are_explained(make, text, message):
    with pytest.raises(ValueError, match=message):
        make(text)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing.csv.*path,pid,camid,split"):
        CSVDataset("nothing.csv", tmp_path)


def test_rows_without_split_value(make):
    with pytest.raises(ValueError, match="line 2: split None"):
        make(HEADER + "a.jpg,1\n")
