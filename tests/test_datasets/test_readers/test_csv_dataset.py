from pathlib import Path

import pytest
from helpers.fake_images import write_image, write_images

from mmreid_ext.datasets import CSVDataset, reid_dataset
from mmreid_ext.errors import UserError
from mmreid_ext.protocols import CameraProtocol

HEADER = "path,pid,camid,split\n"
TEST = "q.jpg,3,0,query\ng.jpg,3,1,gallery\n"
NAMED = "q.jpg,J\u00f6rg,0,query\ng.jpg,J\u00f6rg,1,gallery\n"


@pytest.fixture
def make_bytes(tmp_path):
    def write(content, **options):
        write_images(tmp_path / "shop", "q.jpg", "g.jpg", "a.jpg", "b.jpg")
        (tmp_path / "shop" / "list.csv").write_bytes(content)
        return CSVDataset("shop/list.csv", tmp_path, **options)

    return write


@pytest.fixture
def make(make_bytes):
    return lambda text, **options: make_bytes(text.encode(), **options)


@pytest.fixture
def caplog_mm(monkeypatch):
    """What was logged since the last call."""
    said = []
    monkeypatch.setattr(reid_dataset, "print_log", lambda text, **_: said.append(text))

    def take():
        text = "\n".join(said)
        said.clear()
        return text

    return take


def test_rows_become_records(make, tmp_path):
    dataset = make(HEADER + "a.jpg,12,4,train\nb.jpg,7,2,train\n" + TEST)
    assert dataset.pids.tolist() == [1, 0] and dataset.camids.tolist() == [4, 2]
    assert dataset[0]["img_path"] == str(tmp_path / "shop" / "a.jpg")
    assert dataset[0]["dataset"] == "shop" and dataset[0]["pid"] == 12


def test_absolute_paths_stay(make, tmp_path):
    path = write_image(tmp_path / "elsewhere.jpg")
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


@pytest.mark.parametrize("ranks", [None, (1, 5)])
@pytest.mark.parametrize("kind", ["camera", "CameraProtocol", CameraProtocol, "paddleclas"])
def test_every_spelling_of_a_protocol_is_checked(make, kind, ranks):
    one_camera = HEADER + TEST.replace(",1,", ",0,")
    protocol = kind if ranks is None else dict(type=kind, ranks=ranks)
    with pytest.raises(ValueError, match="nothing can be evaluated"):
        make(one_camera, mode="test", protocol=protocol)


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


def test_a_byte_order_mark_and_quotes_of_spreadsheets_are_read(make, tmp_path):
    write_image(tmp_path / "shop" / "a,1.jpg")
    dataset = make("\ufeff" + 'path,pid,camid,split\n"a,1.jpg",1,0,train\nb.jpg,2,0,train\n')
    assert dataset[0]["img_path"].endswith("a,1.jpg")


@pytest.mark.parametrize(
    "text, message",
    [
        ("file,id\na.jpg,1\n", r"\['path', 'pid', 'split'\] missing"),
        ("", r"columns \[\]; \['path', 'pid', 'split'\] missing"),
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
    with pytest.raises(ValueError, match="line 2: fewer values than columns"):
        make(HEADER + "a.jpg,1\n")


# Columns


@pytest.mark.parametrize("name", ["cam_id", "cam", "Camid", "CamID", "camera_id", "camids"])
def test_a_nearly_right_column_is_refused_with_the_right_one(make, name):
    with pytest.raises(UserError, match=rf"unknown column '{name}' \(did you mean 'camid'\?\)"):
        make(f"path,pid,{name},split\n" + TEST, mode="test")


def test_unknown_columns_are_refused_unless_they_are_named(make):
    text = "path,pid,camid,split,colour\nq.jpg,3,0,query,red\ng.jpg,3,1,gallery,blue\n"
    with pytest.raises(UserError, match=r"unknown column 'colour'.*ignore_columns=\['colour'\]"):
        make(text, mode="test")
    assert make(text, mode="test", ignore_columns=["colour"]).camids.tolist() == [0, 1]
    with pytest.raises(UserError, match="unknown column ''"):
        make("path,pid,camid,split,\nq.jpg,3,0,query,\ng.jpg,3,1,gallery,\n", mode="test")


def test_a_column_must_not_stand_there_twice(make):
    with pytest.raises(UserError, match=r"\['pid'\] more than once"):
        make("path,pid,camid,split,pid\nq.jpg,3,0,query,4\n", mode="test")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_separators_of_spreadsheets(make, delimiter, end):
    text = (HEADER + TEST).replace(",", delimiter).replace("\n", end)
    assert make(text, mode="test").camids.tolist() == [0, 1]


def test_blanks_around_values_and_headings_do_not_count(make):
    dataset = make(
        "path , pid,camid ,split\nq.jpg , 3 ,0, query\n g.jpg,3, 1,gallery \n", mode="test"
    )
    assert dataset.pids.tolist() == [3, 3] and dataset.camids.tolist() == [0, 1]
    assert all(Path(dataset.get_data_info(i)["img_path"]).is_file() for i in range(2))


def test_folders_may_be_separated_as_on_windows(make, tmp_path):
    write_images(tmp_path / "shop" / "sub", "q.jpg", "g.jpg")
    dataset = make(HEADER + "sub\\q.jpg,3,0,query\nsub\\g.jpg,3,1,gallery\n", mode="test")
    assert dataset.get_data_info(0)["img_path"] == str(tmp_path / "shop" / "sub" / "q.jpg")


# Encodings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_that_say_what_they_are(make_bytes, encoding):
    dataset = make_bytes((HEADER + NAMED).encode(encoding), mode="test")
    assert dataset.get_data_info(0)["pid_name"] == "J\u00f6rg"


def test_other_encodings_are_refused_unless_they_are_named(make_bytes):
    content = (HEADER + NAMED).encode("cp1252")
    with pytest.raises(UserError, match=r"list.csv, line 2: byte 0xf6 is not utf-8.*cp1252"):
        make_bytes(content, mode="test")
    dataset = make_bytes(content, mode="test", encoding="cp1252")
    assert dataset.metainfo["pid_names"] == {0: "J\u00f6rg"}
    with pytest.raises(UserError, match="encoding='cp1253x' is not known"):
        make_bytes(content, mode="test", encoding="cp1253x")
    with pytest.raises(UserError, match="line 1: there is a zero byte"):
        make_bytes((HEADER + TEST).encode("utf-16-le"), mode="test")
    with pytest.raises(UserError, match="is a spreadsheet"):
        make_bytes(b"PK\x03\x04 a workbook", mode="test")


def test_two_forms_of_one_letter_are_one_name(make):
    dataset = make(HEADER + "q.jpg,J\u00f6rg,0,query\ng.jpg,Jo\u0308rg,1,gallery\n", mode="test")
    assert dataset.pids.tolist() == [0, 0]


@pytest.mark.parametrize(
    "row",
    ['"q.jpg,3,0,query\ng.jpg,3,1,gallery\n', '"q.jpg"x,3,0,query\n', 'q.jpg,"3\n",0,query\n'],
)
def test_stray_quotes_are_explained_with_their_line(make, row):
    with pytest.raises(UserError, match=r"list.csv, line \d+: .*quote"):
        make(HEADER + row + "a.jpg,1,0,train\n" * 20_000)


def test_lines_are_counted_as_an_editor_counts_them(make):
    with pytest.raises(UserError, match="line 5: split 'tran' is none of .*did you mean 'train'"):
        make(HEADER + "\n\na.jpg,1,0,train\nb.jpg,2,0,tran\n")


# Ids


@pytest.mark.parametrize("first, second", [("7", "007"), ("7", "7.0"), ("7", "+7"), ("0", "000")])
@pytest.mark.parametrize("further", ["", "b.jpg,bob,1,gallery\n"])
@pytest.mark.parametrize("column", ["pid", "camid"])
def test_one_number_in_two_spellings_is_refused_whatever_else_there_is(
    make, first, second, further, column
):
    rows = [("q.jpg", first, "0", "query"), ("g.jpg", second, "1", "gallery")]
    if column == "camid":
        rows = [("q.jpg", "3", first, "query"), ("g.jpg", "3", second, "gallery")]
    text = "".join(",".join(row) + "\n" for row in rows)
    with pytest.raises(UserError, match=f"list.csv, column '{column}'.* may be one id or two"):
        make(HEADER + text + further, mode="test")


@pytest.mark.parametrize("pid", [str(2**63), "9" * 5000, str(2**64 + 1)])
def test_numbers_that_do_not_fit_are_names(make, pid):
    dataset = make(HEADER + f"q.jpg,{pid},0,query\ng.jpg,{pid},1,gallery\n", mode="test")
    assert dataset.pids.tolist() == [0, 0] and dataset.metainfo["pid_names"] == {0: pid}
    largest = make(HEADER + TEST.replace(",3,", f",{2**63 - 1},"), mode="test")
    assert largest.pids.tolist() == [2**63 - 1] * 2


def test_names_stay_with_the_records(make):
    rows = "q.jpg,alice,c1,query\ng.jpg,alice,c2,gallery\na.jpg,0007,c1,gallery\n"
    dataset = make(HEADER + rows, mode="test")
    assert [dataset.get_data_info(i)["pid_name"] for i in range(3)] == ["alice", "alice", "0007"]
    assert dataset.metainfo["pid_names"] == {0: "0007", 1: "alice"}
    assert "pid_name" not in make(HEADER + TEST, mode="test").get_data_info(0)


def test_identities_can_be_chosen_by_name(make):
    rows = "a.jpg,zoe,0,train\nb.jpg,adam,0,train\ng.jpg,bea,1,train\n"
    dataset = make(HEADER + rows, identities=["zoe", "adam"])
    assert [dataset.get_data_info(i)["pid_name"] for i in range(2)] == ["zoe", "adam"]
    with pytest.raises(UserError, match=r"no identity 'zoé' \(did you mean 'zoe'\?\)"):
        make(HEADER + rows, identities=["zoé"])


def test_messages_show_the_names(make, monkeypatch):
    said = []
    monkeypatch.setattr(reid_dataset, "print_log", lambda text, **_: said.append(text))
    rows = "q.jpg,alice,0,query\ng.jpg,alice,1,gallery\na.jpg,bob,0,query\nb.jpg,carl,0,gallery\n"
    dataset = make(HEADER + rows, mode="test")
    assert "1 identities: bob" in said[0] and "(queries: bob; gallery: " in said[0]
    assert "gallery: alice, carl)" in said[0]
    assert dataset.metainfo["test_sets"]["shop"]["pid_names"] == {0: "alice", 1: "bob", 2: "carl"}


# Cameras


def test_it_is_said_that_the_camera_rule_is_off(make, caplog_mm):
    text = "path,pid,split\nq.jpg,3,query\ng.jpg,3,gallery\n"
    make(text, mode="test")
    assert "the camera rule is off" in caplog_mm()
    make(text, mode="test", protocol="no_camera")
    make(HEADER + TEST, mode="test")
    assert caplog_mm() == ""
