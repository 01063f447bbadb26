"""What stands in two places is found when a set is read, by whatever reader."""

import re
import shutil

import pytest
from helpers.fake_images import write_images, write_market

from mmreid_ext.datasets import (
    CUHK01,
    CUHK02,
    BenchmarkSuite,
    CSVDataset,
    Market1501,
    MultiSourceDataset,
    VIPeR,
    multi_source,
    reid_dataset,
)
from mmreid_ext.datasets.checks.image_files import content_keys, locate
from mmreid_ext.datasets.checks.shared_people import trained_on_messages
from mmreid_ext.errors import MissingFileError, UserError

HEAD = "path,pid,camid,split\n"
TRAIN = "a.jpg,8,0,train\nb.jpg,9,0,train\n"
TEST = "q.jpg,3,0,query\ng.jpg,3,1,gallery\n"


@pytest.fixture
def said(monkeypatch):
    texts = []
    monkeypatch.setattr(reid_dataset, "print_log", lambda text, **_: texts.append(text))
    monkeypatch.setattr(multi_source, "print_log", lambda text, **_: texts.append(text))
    return texts


@pytest.fixture
def make(tmp_path):
    def build(rows, mode="test", **options):
        write_images(tmp_path / "shop", "q.jpg", "g.jpg", "a.jpg", "b.jpg")
        (tmp_path / "shop" / "list.csv").write_text(HEAD + rows)
        return CSVDataset("shop/list.csv", tmp_path, mode=mode, **options)

    return build


def test_a_clean_list_is_read_without_a_word(make, said):
    for mode in ("train", "test"):
        make(TRAIN + TEST, mode)
    assert said == []


ERRORS = {
    "query in gallery": (TRAIN + TEST + "q.jpg,3,1,gallery\n", "query and gallery at once.*q.jpg"),
    "two identities": (TRAIN + TEST + "a.jpg,9,1,train\n", r"two identities.*a.jpg \(8 and 9\)"),
    "train and test": (TRAIN + TEST + "a.jpg,8,1,gallery\n", "training and in the test.*a.jpg"),
    "other spelling": (TRAIN + TEST + "../shop/./a.jpg,8,1,gallery\n", "training and in the test"),
}
WARNINGS = {
    "listed twice": (TRAIN + TEST + "g.jpg,3,1,gallery\n", "listed more than once.*g.jpg"),
    "identity on both sides": (TRAIN + "q.jpg,8,0,query\ng.jpg,8,1,gallery\n", "identities.*: 8"),
}


@pytest.mark.parametrize("mode", ["train", "test"])
@pytest.mark.parametrize("rows, words", ERRORS.values(), ids=ERRORS)
def test_what_makes_a_set_useless_is_refused_in_both_modes(make, said, mode, rows, words):
    with pytest.raises(UserError, match=words):
        make(rows, mode)
    make(rows, mode, check=False)
    assert said


@pytest.mark.parametrize("mode", ["train", "test"])
@pytest.mark.parametrize("rows, words", WARNINGS.values(), ids=WARNINGS)
def test_what_is_odd_is_said_in_both_modes(make, said, mode, rows, words):
    make(rows, mode)
    assert any(re.search(words, text) for text in said)


def test_the_camera_rule_keeps_a_query_from_finding_itself(make, said):
    both = "q.jpg,3,0,query\nq.jpg,3,0,gallery\ng.jpg,3,1,query\ng.jpg,3,1,gallery\n"
    assert len(make(both)) == 4 and said == []
    for protocol in ("no_camera", dict(type="no_camera")):
        with pytest.raises(UserError, match="query and gallery at once"):
            make(both, protocol=protocol)


@pytest.mark.parametrize("protocol", ["self_retrieval", "sop", dict(type="self_retrieval")])
def test_no_image_finds_its_own_copy_where_all_are_compared_with_all(make, said, protocol):
    clean = "q.jpg,3,0,query\ng.jpg,3,1,query\na.jpg,5,0,query\nb.jpg,5,1,query\n"
    assert len(make(clean, protocol=protocol)) == 4 and said == []
    both = clean + "q.jpg,3,0,gallery\n../shop/g.jpg,3,1,gallery\na.jpg,5,0,query\n"
    dataset = make(both, protocol=protocol)
    assert [dataset[i]["role"] for i in range(len(dataset))] == ["query"] * 4
    assert len(said) == 1 and "3 images are listed more than once" in said[0]
    with pytest.raises(UserError, match="none has two"):
        make("q.jpg,3,0,query\nq.jpg,3,0,gallery\n", protocol=protocol)


def test_training_on_everything_is_meant(make, said):
    make(TRAIN + "q.jpg,8,0,query\ng.jpg,8,1,gallery\n", "train", combine_all=True)
    assert said == []


def test_links_and_copies(make, said, tmp_path):
    make(TEST)
    shop = tmp_path / "shop"
    (shop / "link.jpg").symlink_to("q.jpg")
    (tmp_path / "door").symlink_to(shop)
    shutil.copy(shop / "q.jpg", shop / "copy.jpg")
    for name in ("link.jpg", "../door/q.jpg", f"{tmp_path}/door/link.jpg"):
        with pytest.raises(UserError, match="query and gallery at once"):
            make(TEST + f"{name},3,1,gallery\n")
    copied = TEST + "copy.jpg,3,1,gallery\n"
    assert len(make(copied)) == 3
    with pytest.raises(UserError, match="query and gallery at once"):
        make(copied, compare_files="content")
    with pytest.raises(UserError, match="compare_files='size', must be 'path' or 'content'"):
        make(copied, compare_files="size")


# Missing files


@pytest.mark.parametrize("mode", ["train", "test"])
def test_missing_files_are_found_when_the_set_is_read(make, said, mode):
    gone = TRAIN + TEST + "no1.jpg,3,1,gallery\nno2.jpg,8,1,train\n"
    with pytest.raises(
        MissingFileError, match=r"2 of 6 images \(named in list.csv\) are not there.*no1"
    ):
        make(gone, mode)
    with pytest.raises(
        MissingFileError, match=r"none of the 4 images \(named in list.csv\) is there.*x/a"
    ):
        make("".join(f"x/{row}\n" for row in (TRAIN + TEST).split()), mode)


def test_folders_and_broken_links_are_no_images(make, tmp_path):
    make(TEST)
    (tmp_path / "shop" / "folder.jpg").mkdir()
    (tmp_path / "shop" / "broken.jpg").symlink_to("nowhere.jpg")
    for name in ("folder.jpg", "broken.jpg"):
        with pytest.raises(MissingFileError, match=f"1 of 3 images .* not there: .*{name}"):
            make(TEST + f"{name},3,1,gallery\n")
    with pytest.raises(UserError, match=r"no images in 1 places: .*list.csv \(it lists nothing"):
        make("")


def test_other_images_than_those_of_the_mode_may_be_missing_without_check(make, said):
    make(TRAIN + TEST + "no.jpg,3,1,gallery\n", "train", check=False)
    assert "no.jpg" in said[0]
    make(TRAIN + TEST + "no.jpg,8,1,train\n", "train", on_corrupt="skip")
    assert "no.jpg" in said[1]
    with pytest.raises(MissingFileError):
        make(TRAIN + TEST + "no.jpg,3,1,gallery\n", "test", check=False)


def test_files_are_located_however_many_there_are(tmp_path):
    write_images(tmp_path / "many", *(f"{i}.png" for i in range(40)))
    (tmp_path / "many" / "link.png").symlink_to("3.png")
    names = [*(f"{i}.png" for i in range(40)), "link.png", "none.png"]
    found = locate([f"{tmp_path}/many/{name}" for name in names])
    assert found[:40] == [f"{tmp_path}/many/{i}.png" for i in range(40)]
    assert found[40:] == [f"{tmp_path}/many/3.png", None]
    assert locate(["s3://bucket/a.jpg"]) == ["s3://bucket/a.jpg"]
    keys = content_keys([found[0], found[1], found[40], found[3]])
    assert len(set(keys)) == 3 and keys[2] == keys[3]


# Several sources


def test_sources_that_share_pictures_are_refused(tmp_path):
    folder = write_market(tmp_path)
    (tmp_path / "elsewhere").symlink_to(folder)
    rows = "".join(
        f"{path},{path.name[:4]},0,train\n" for path in (folder / "bounding_box_train").iterdir()
    )
    (tmp_path / "list.csv").write_text(HEAD + rows)
    market = dict(type="mmreid_ext.Market1501", data_root=str(tmp_path), check=False)
    linked = dict(market, data_root=str(tmp_path / "elsewhere"), name="b")
    listed = dict(type="mmreid_ext.CSVDataset", csv_file=str(tmp_path / "list.csv"), name="c")
    for other in (dict(market, name="b"), linked, listed):
        with pytest.raises(UserError, match=f"'market1501' and '{other['name']}' share 12 images"):
            MultiSourceDataset([market, other])


def test_copies_in_another_folder_are_found_by_their_contents(tmp_path):
    folder = write_market(tmp_path)
    shutil.copytree(folder, tmp_path / "copy" / "market1501")
    market = dict(type="mmreid_ext.Market1501", data_root=str(tmp_path), check=False)
    copy = dict(market, data_root=str(tmp_path / "copy"), name="b")
    assert len(MultiSourceDataset([market, copy])) == 24
    contents = dict(compare_files="content")
    for sources in ([market | contents, copy], [market, copy | contents]):
        with pytest.raises(UserError, match="'market1501' and 'b' share 12 images"):
            MultiSourceDataset(sources)


def test_benchmarks_that_show_the_same_people_are_named(tmp_path, said):
    write_images(tmp_path / "CUHK01", "campus/0001001.png", "campus/0002003.png")
    cameras = [f"Dataset/P{pair}/cam{view}" for pair in range(1, 6) for view in (1, 2)]
    names = [f"{camera}/{pid:03d}_1.png" for camera in cameras for pid in (1, 2)]
    write_images(tmp_path / "CUHK02", *names)
    one = CUHK01(tmp_path, combine_all=True, check=False, lazy_init=True)
    two = CUHK02(tmp_path, check=False, lazy_init=True)
    MultiSourceDataset([one, two])
    assert any("'cuhk02' and 'cuhk01' share people" in text for text in said)


def test_people_of_a_training_set_are_found_in_the_test_set(tmp_path):
    folder = write_market(tmp_path)
    shots = [f"campus/{pid}00{shot}.png" for pid in ("0001", "0002") for shot in (1, 3)]
    write_images(tmp_path / "CUHK01", *shots)
    cameras = [f"Dataset/P{pair}/cam{view}" for pair in range(1, 6) for view in (1, 2)]
    write_images(tmp_path / "CUHK02", *(f"{camera}/001_1.png" for camera in cameras))
    (tmp_path / "door").symlink_to(folder)
    market = Market1501(tmp_path / "door", mode="test", check=False)
    cuhk01 = CUHK01(tmp_path, mode="test", check=False)
    cuhk02 = dict(type="mmreid_ext.CUHK02", data_root=str(tmp_path), check=False)
    suite = BenchmarkSuite([market, cuhk01])
    everything = Market1501(tmp_path, combine_all=True, check=False, name="all")
    trained = MultiSourceDataset([everything, cuhk02])
    images, people = trained_on_messages(trained, suite)
    assert "12 images of the test set 'market1501 + cuhk01' are trained on" in images
    assert "'cuhk02' and the test set 'cuhk01' share people" in people
    assert trained_on_messages(Market1501(tmp_path, check=False), market) == []
    pair_5 = CUHK02(tmp_path, mode="test", check=False)  # not the pair that is CUHK01
    assert trained_on_messages(CUHK01(tmp_path, combine_all=True, check=False), pair_5) == []


def test_other_readers_check_too(tmp_path, said):
    write_images(tmp_path / "VIPeR", "cam_a/001_45.bmp", "cam_a/002_45.bmp", "cam_b/002_90.bmp")
    (tmp_path / "VIPeR" / "cam_b" / "001_90.bmp").symlink_to("../cam_a/001_45.bmp")
    with pytest.raises(UserError, match="query and gallery at once"):
        VIPeR(tmp_path, mode="test", check=True, protocol="camera")
    folder = write_market(tmp_path)
    first = sorted((folder / "bounding_box_train").iterdir())[0]
    (folder / "query" / first.name).symlink_to(first)
    for mode in ("train", "test"):
        with pytest.raises(UserError, match="in the training and in the test set"):
            Market1501(tmp_path, mode=mode)
