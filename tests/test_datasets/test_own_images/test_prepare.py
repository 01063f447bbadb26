from dataclasses import replace

import pytest
from helpers.fake_images import write_image, write_images
from helpers.paths import CONFIGS
from mmengine.config import Config

from mmreid_ext.datasets import CSVDataset
from mmreid_ext.datasets.own_images.prepare import Options, prepare
from mmreid_ext.errors import ExistingFileError, UserError


def find_base(name):
    return CONFIGS / f"{name}.py"


def photos(tmp_path, people=6, each=4, form="p{person}/{n}.jpg"):
    names = [form.format(person=p, n=n, c=n % 2) for p in range(people) for n in range(each)]
    return write_images(tmp_path / "photos", *names)


@pytest.fixture
def options(tmp_path):
    return Options(tmp_path / "out")


@pytest.mark.parametrize(
    "form, protocol",
    [("p{person}/{n}.jpg", "no_camera"), ("p{person}/c{c}/{n}.jpg", "camera")],
)
def test_the_written_files_can_be_used(tmp_path, options, form, protocol):
    prepared = prepare(photos(tmp_path, form=form), options, find_base)
    cfg = Config.fromfile(tmp_path / "out" / "config.py")
    train = CSVDataset(cfg.csv_file)
    assert train.num_classes == cfg.model.head.num_classes == prepared.plan.num_classes == 4
    source = {k: v for k, v in cfg.test_dataloader.dataset.sources[0].items() if k != "type"}
    test = CSVDataset(mode="test", **source)
    assert len(train) + len(test) == 24 and test.image_table() is not None
    assert test.metainfo["test_sets"]["out"]["protocol"] == protocol
    assert set(test.metainfo["test_sets"]["out"]["pid_names"].values()) <= {
        f"p{n}" for n in range(6)
    }


def test_cameras_that_cannot_be_asked_switch_the_rule_off(tmp_path, options):
    folder = photos(tmp_path, form="p{person}/hall/{n}.jpg")
    assert prepare(folder, options, find_base).protocol == "no_camera"


def test_an_earlier_data_set_is_not_overwritten_in_silence(tmp_path, options):
    folder = photos(tmp_path)
    prepare(folder, options, find_base)
    with pytest.raises(
        ExistingFileError, match="annotations.csv and config.py already.*--overwrite"
    ):
        prepare(folder, options, find_base)
    before = (tmp_path / "out" / "annotations.csv").read_bytes()
    prepare(folder, replace(options, overwrite=True, seed=1), find_base)
    assert (tmp_path / "out" / "annotations.csv").read_bytes() != before


def test_the_same_seed_writes_the_same_bytes(tmp_path, options):
    folder = photos(tmp_path)
    texts = []
    for name in "ab":
        prepare(folder, replace(options, out=tmp_path / name), find_base)
        texts.append((tmp_path / name / "annotations.csv").read_bytes())
    assert texts[0] == texts[1]


def test_tracks_by_every_other_frame_and_as_crops(tmp_path, options):
    lines = []
    for frame in range(1, 9):
        write_image(tmp_path / "seq" / "img1" / f"{frame:06d}.png", frame, (40, 40))
        lines += [f"{frame},{track},{track * 8},2,8,20,1,1,1" for track in range(5)]
    (tmp_path / "seq" / "gt").mkdir()
    (tmp_path / "seq" / "gt" / "gt.txt").write_text("\n".join(lines))
    prepared = prepare(tmp_path / "seq", replace(options, every=2), find_base)
    assert len(prepared.images) == 20 and prepared.sizes[0] == (8, 20)
    text = (tmp_path / "out" / "annotations.csv").read_text()
    assert text.splitlines()[:2] == ["path,pid,split,x,y,w,h", text.splitlines()[1]]
    assert not (tmp_path / "out" / "crops").exists()
    assert "store" in (tmp_path / "out" / "config.py").read_text()
    cut = replace(options, out=tmp_path / "cut", copy_crops=True)
    prepare(tmp_path / "seq", cut, find_base)
    assert len(list((tmp_path / "cut" / "crops").rglob("*.png"))) == 40
    boxes, crops = (
        CSVDataset(folder / "annotations.csv", loader=dict(type="LoadImageFromFile"))
        for folder in (tmp_path / "out", tmp_path / "cut")
    )
    assert len(boxes) > 0 and len(crops) > 0


@pytest.mark.parametrize("change", [dict(test_share=1), dict(seed=-1), dict(every=0)])
def test_numbers_out_of_range(tmp_path, options, change):
    with pytest.raises(UserError, match="must be"):
        prepare(photos(tmp_path), replace(options, **change), find_base)


def test_out_is_a_file(tmp_path, options):
    (tmp_path / "out").write_text("")
    with pytest.raises(UserError, match="is a file; name a folder"):
        prepare(photos(tmp_path), options, find_base)


def test_nothing_is_written_if_it_stops(tmp_path, options):
    with pytest.raises(UserError, match="found: 2, too few"):
        prepare(photos(tmp_path, people=2), options, find_base)
    assert not (tmp_path / "out").exists()


def test_names_that_a_list_cannot_hold_are_left_out(tmp_path, options):
    folder = write_images(photos(tmp_path) / "p0", "odd .jpg", "a\\b.jpg").parent
    prepared = prepare(folder, options, find_base)
    (names,) = prepared.found.left_out.values()
    assert names == ["'a\\\\b.jpg'"]
