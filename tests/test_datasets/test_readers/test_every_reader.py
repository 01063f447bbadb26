"""Every registered reader where its folder is missing, empty, nested, or something else."""

import inspect

import pytest
from helpers.fake_images import write_images, write_market
from helpers.reader_trees import TREES, build, name_of

from mmreid_ext.datasets import CUHK01, ILIDS, SOP, CSVDataset, ReIDDataset, SyntheticReID
from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.registry import DATASETS

READERS = sorted(
    (
        kind
        for kind in DATASETS.module_dict.values()
        if inspect.isclass(kind) and issubclass(kind, ReIDDataset) and kind is not CSVDataset
    ),
    key=name_of,
)


def make_layout(reader, root, folder=None):
    """The first layout of a reader, empty; returns the folder."""
    waiting = reader(root, lazy_init=True)
    base = root / (folder or waiting.folder_names[0])
    for path in waiting.layouts[0]:
        if "." in path:
            (base / path).parent.mkdir(parents=True, exist_ok=True)
            (base / path).touch()
        else:
            (base / path).mkdir(parents=True)
    return base


def test_all_benchmarks_are_here():
    assert {*TREES} < {*READERS} and len(READERS) >= 16


@pytest.mark.parametrize("reader", READERS, ids=name_of)
def test_missing(reader, tmp_path):
    (tmp_path / "another_set").mkdir()
    with pytest.raises(MissingFileError) as error:
        reader(tmp_path)
    _, _, promised = str(error.value).partition("a folder of one of these names:\n")
    names, following, layouts = promised.split("\n")[:3]
    waiting = reader(tmp_path, lazy_init=True)
    assert names.strip() == ", ".join(waiting.folder_names)
    assert following == "the following:"
    assert layouts.strip() == ", ".join(waiting.layouts[0])
    assert "it has another_set/" in str(error.value)


@pytest.mark.parametrize("mode", ["train", "test"])
@pytest.mark.parametrize("reader", READERS, ids=name_of)
def test_empty(reader, mode, tmp_path):
    folder = make_layout(reader, tmp_path)
    with pytest.raises(UserError) as error:
        reader(tmp_path, mode, check=False)
    message = str(error.value)
    if all("." not in path for path in reader(tmp_path, lazy_init=True).layouts[0]):
        assert ": there are no images in " in message.split(". ")[0]  # before what follows of it
        assert "(it is empty)" in message or "(it is not there)" in message
    assert str(folder) in message


@pytest.mark.parametrize("reader", READERS, ids=name_of)
def test_another_layout_is_named(reader, tmp_path):
    name = reader(tmp_path, lazy_init=True).folder_names[0]
    write_images(tmp_path / name, "Other/a.jpg", "notes.png")
    with pytest.raises(MissingFileError) as error:
        reader(tmp_path)
    assert f"{tmp_path / name}: lacks " in str(error.value)
    assert "; it has Other/, notes.png" in str(error.value)


@pytest.mark.parametrize("reader", READERS, ids=name_of)
def test_nested_once(reader, tmp_path):
    name = reader(tmp_path, lazy_init=True).folder_names[0]
    last = name.rpartition("/")[2]
    folder = make_layout(reader, tmp_path, f"{name}/{last}")
    assert reader(tmp_path, lazy_init=True).find() == folder


@pytest.mark.parametrize("part", ["query", "bounding_box_test", "bounding_box_train"])
@pytest.mark.parametrize("trouble", ["renamed", "one folder deeper", "other files"])
def test_a_part_that_cannot_be_read_leads_the_message(tmp_path, part, trouble):
    folder = write_market(tmp_path) / part
    for path in list(folder.iterdir()):
        if trouble == "renamed":
            path.rename(folder / f"img{path.name}")
        elif trouble == "other files":
            path.rename(path.with_suffix(".gif"))
        else:
            (folder / part).mkdir(exist_ok=True)
            path.rename(folder / part / path.name)
    kind = next(reader for reader in READERS if reader.title == "market1501")
    with pytest.raises(UserError) as error:
        kind(tmp_path, "train" if part.endswith("train") else "test", check=False)
    message = str(error.value)
    if trouble == "renamed":  # all training images, or a part of the test images
        assert "of this data set's pattern" in message.partition(f"{folder}/img")[0]
    else:
        assert f": there are no images in 1 places: {folder} (it has " in message
    assert len(message.partition(str(folder))[0]) < 300


@pytest.mark.parametrize("reader, inner", [(CUHK01, "campus"), (ILIDS, "Persons")])
def test_images_without_the_folder_around_them(reader, inner, tmp_path):
    names = [name.removeprefix(f"{inner}/") for name in TREES[reader][1].split()]
    write_images(tmp_path / TREES[reader][0], *names)
    flat = reader(tmp_path, check=False, combine_all=True)
    assert len(flat) == len(build(reader, tmp_path / "straight", combine_all=True))


def test_a_folder_that_was_asked_for_is_not_replaced_by_another(tmp_path):
    for folder in (tmp_path, tmp_path / "Shop-1"):
        write_images(folder, "a.png", "b.png", "c.png", "d.png")
        (folder / "train.txt").write_text("a.png,1\nb.png,2\n")
        (folder / "test.txt").write_text("c.png,3\nd.png,3\n")
    assert len(SOP(tmp_path, folder="Shop-1")) == 2
    with pytest.raises(MissingFileError, match="shop1: no such folder"):
        SOP(tmp_path, folder="shop1")
    write_market(tmp_path / "domain_0").rename(tmp_path / "moved")
    (tmp_path / "moved").rename(tmp_path / "domain_0" / "domain_0")
    assert SyntheticReID(tmp_path / "domain_0", domain=0).num_classes == 3
    with pytest.raises(UserError, match="domain=1, but data_root=.* is domain 0"):
        SyntheticReID(tmp_path / "domain_0" / "domain_0", domain=1)
