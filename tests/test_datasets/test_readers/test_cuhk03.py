import h5py
import numpy as np
import pytest
from scipy.io import savemat

from mmreid_ext.datasets import CUHK03
from mmreid_ext.datasets.readers.cuhk03_archive import image_name, parse_name

LOAD = dict(type="mmpretrain.LoadImageFromFile")
PEOPLE = (3, 2)  # persons of the two camera pairs
EMPTY = (2, 1, 10)  # pair, person, shot without a picture


def pixels(pair, person, shot):
    """A picture that says which one it is: constant RGB, 6 high and 4 wide."""
    return np.full((6, 4, 3), (40 * pair, 30 * person, 20 * shot), np.uint8)


def write_archive(path):
    """The structure of `cuhk-03.mat`: cells of references, everything transposed."""
    reference = h5py.special_dtype(ref=h5py.Reference)
    with h5py.File(path, "w") as file:
        for boxes in ("detected", "labeled"):
            pairs = file.create_dataset(boxes, (1, len(PEOPLE)), dtype=reference)
            for pair, people in enumerate(PEOPLE, 1):
                cell = file.create_dataset(f"cells/{boxes}{pair}", (10, people), dtype=reference)
                pairs[0, pair - 1] = cell.ref
                for person in range(1, people + 1):
                    for shot in range(1, 11):
                        data = pixels(pair, person, shot).T
                        if (pair, person, shot) == EMPTY:
                            data = np.zeros(2, np.uint64)
                        name = f"pictures/{boxes}{pair}_{person}_{shot}"
                        cell[shot - 1, person - 1] = file.create_dataset(name, data=data).ref
        tests = file.create_dataset("testsets", (1, 2), dtype=reference)
        for split, table in enumerate([[(1, 2), (2, 1)], [(1, 1), (1, 3)]]):
            table = np.array(table, dtype=float).T
            tests[0, split] = file.create_dataset(f"splits/{split}", data=table).ref


def write_protocol(folder, boxes):
    names = [image_name(1, person, shot) for person in (1, 2, 3) for shot in (1, 6)]
    cells = np.empty((len(names), 1), dtype=object)
    cells[:, 0] = names
    content = dict(
        filelist=cells,
        labels=np.array([[5], [5], [8], [8], [9], [9]]),
        train_idx=np.array([[1], [2], [3], [4]]),
        query_idx=np.array([[5]]),
        gallery_idx=np.array([[6]]),
    )
    savemat(folder / f"cuhk03_new_protocol_config_{boxes}.mat", content)


@pytest.fixture
def release(tmp_path):
    folder = tmp_path / "cuhk03_release"
    folder.mkdir()
    write_archive(folder / "cuhk-03.mat")
    return folder


def rows(dataset):
    records = (dataset[i] for i in range(len(dataset)))
    return [(r["pid"], r["camid"], r["role"]) for r in records]


def test_pictures_are_extracted_upright_and_in_colour(release):
    dataset = CUHK03(
        release.parent, classic_split=0, combine_all=True, check=False, pipeline=[LOAD]
    )
    assert len(dataset) == 49 == len(list((release / "images_detected").iterdir()))
    for i in (0, 30, 48):
        image = dataset[i]
        pair, person, view = parse_name(image["img_path"].rpartition("/")[2])
        shot = int(image["img_path"][-6:-4])
        assert np.array_equal(image["img"][..., ::-1], pixels(pair, person, shot))
        assert (view, image["camid"]) == (int(shot > 5), int(shot > 5))
    assert not (release / "images_detected" / image_name(*EMPTY)).exists()
    assert not list(release.glob(".images*"))


def test_extraction_happens_once(release):
    CUHK03(release.parent, classic_split=0, check=False)
    marker = release / "images_detected" / image_name(1, 1, 1)
    marker.write_bytes(b"mine")
    CUHK03(release.parent, classic_split=0, check=False)
    assert marker.read_bytes() == b"mine"


def test_images_extracted_by_others_one_folder_up_are_used(release):
    CUHK03(release.parent, classic_split=0, check=False)
    (release / "images_detected").rename(release.parent / "images_detected")
    dataset = CUHK03(release.parent, classic_split=0, check=False)
    assert dataset[0]["img_path"].startswith(str(release.parent / "images_detected"))
    assert not (release / "images_detected").exists()


def test_classic_split_queries_and_searches_every_test_picture(release):
    train = CUHK03(release.parent, classic_split=0, check=False)
    assert sorted({pid for pid, _, _ in rows(train)}) == [10001, 10003, 20002]
    assert len(train) == 30
    test = CUHK03(release.parent, classic_split=0, mode="test", check=False)
    assert test.metainfo["test_sets"] == {"cuhk03": {"protocol": "cuhk03_classic"}}
    for role in ("query", "gallery"):
        part = [(pid, cam) for pid, cam, r in rows(test) if r == role]
        assert len(part) == 19 and set(part) == {(10002, 0), (10002, 1), (20001, 0), (20001, 1)}
    second = CUHK03(release.parent, classic_split=1, mode="test", check=False)
    assert {pid for pid, _, _ in rows(second)} == {10001, 10003}


def test_pictures_that_are_listed_twice_never_find_themselves(release):
    options = dict(classic_split=0, mode="test", check=True)
    assert len(CUHK03(release.parent, **options)) == 38
    assert len(CUHK03(release.parent, protocol="camera", **options)) == 38
    assert len(CUHK03(release.parent, protocol="self_retrieval", **options)) == 19
    with pytest.raises(ValueError, match="19 images are query and gallery at once"):
        CUHK03(release.parent, protocol="no_camera", **options)


@pytest.mark.parametrize("place", [".", ".."])
@pytest.mark.parametrize("boxes, spelling", [("detected", "detected"), ("labelled", "labeled")])
def test_new_protocol(release, boxes, spelling, place):
    write_protocol(release / place, spelling)
    train = CUHK03(release.parent, boxes=boxes, check=False, pipeline=[LOAD])
    assert train.pids.tolist() == [0, 0, 1, 1] and train.camids.tolist() == [0, 1, 0, 1]
    assert spelling in train[0]["img_path"]
    test = CUHK03(release.parent, boxes=boxes, mode="test", check=False)
    assert rows(test) == [(9, 0, "query"), (9, 1, "gallery")]
    assert test.metainfo["test_sets"]["cuhk03"]["protocol"] == "camera"


def test_mistakes_are_explained(release, tmp_path):
    with pytest.raises(ValueError, match="'detected' or 'labelled', got 'labeled'"):
        CUHK03(release.parent, boxes="labeled")
    with pytest.raises(ValueError, match="classic_split=2.*0 to 1"):
        CUHK03(release.parent, classic_split=2)
    with pytest.raises(FileNotFoundError, match="lacks cuhk03_new_protocol_config_detected.mat"):
        CUHK03(release.parent)
    with pytest.raises(ValueError, match="'x.png' is not <pair>"):
        parse_name("x.png")


def test_an_interrupted_extraction_leaves_nothing_behind(release, monkeypatch):
    from mmreid_ext.datasets.readers import cuhk03_archive

    def fail(path, pixels):
        raise KeyboardInterrupt

    monkeypatch.setattr(cuhk03_archive, "_write_png", fail)
    with pytest.raises(KeyboardInterrupt):
        CUHK03(release.parent, classic_split=0)
    assert [path.name for path in release.iterdir()] == ["cuhk-03.mat"]
