import os
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from mmcv.transforms import LoadImageFromFile
from mmpretrain.datasets.transforms import Resize
from PIL import Image

from mmreid_ext.datasets.transforms import LoadResized, load_resized
from mmreid_ext.errors import UserError

SCALE = (16, 32)


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "picture.jpg"
    write_picture(path, seed=0)
    return str(path)


def write_picture(path, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (20, 11, 3), dtype=np.uint8)
    cv2.imwrite(str(path), pixels)


@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
def test_equals_the_two_transforms(picture, interpolation, tmp_path):
    two = Resize(scale=(16, 32), interpolation=interpolation)(
        LoadImageFromFile()({"img_path": picture})
    )
    for store in (None, tmp_path / "store", tmp_path / "store"):  # without, filling, reading
        one = LoadResized((16, 32), interpolation, store)({"img_path": picture, "pid": 3})
        assert np.array_equal(one["img"], two["img"])
        assert one["img_shape"] == two["img_shape"] == (32, 16)
        assert one["pid"] == 3
        assert one["img"].flags.writeable  # transforms may work in place


def stored(folder):
    return sorted(p for p in folder.rglob("*") if p.is_file())


def test_the_second_time_nothing_is_decoded(picture, tmp_path, monkeypatch):
    load = LoadResized((16, 32), store=tmp_path / "store")
    first = load({"img_path": picture})["img"]
    assert [p.stat().st_size for p in stored(tmp_path / "store")] == [16 * 32 * 3]
    monkeypatch.setattr(cv2, "imdecode", lambda *args: pytest.fail("decoded again"))
    assert np.array_equal(load({"img_path": picture})["img"], first)


def test_a_changed_source_or_setting_is_read_anew(picture, tmp_path):
    store = tmp_path / "store"
    load = LoadResized((16, 32), store=store)
    old = load({"img_path": picture})["img"]
    write_picture(picture, seed=1)
    os.utime(picture, ns=(1, 1))
    new = load({"img_path": picture})["img"]
    assert not np.array_equal(new, old)
    assert np.array_equal(new, LoadResized((16, 32))({"img_path": picture})["img"])
    other = LoadResized((16, 32), "bilinear", store)({"img_path": picture})["img"]
    assert np.array_equal(other, LoadResized((16, 32), "bilinear")({"img_path": picture})["img"])
    assert LoadResized((8, 16), store=store)({"img_path": picture})["img"].shape == (16, 8, 3)
    assert len(stored(store)) == 4


def test_a_damaged_entry_is_replaced(picture, tmp_path):
    load = LoadResized((16, 32), store=tmp_path / "store")
    expected = load({"img_path": picture})["img"]
    (entry,) = stored(tmp_path / "store")
    entry.write_bytes(b"short")
    assert np.array_equal(load({"img_path": picture})["img"], expected)
    assert entry.stat().st_size == 16 * 32 * 3


def test_many_writers(picture, tmp_path):
    load = LoadResized((16, 32), store=tmp_path / "store")
    with ThreadPoolExecutor(8) as pool:
        images = list(pool.map(lambda _: load({"img_path": picture})["img"], range(32)))
    assert all(np.array_equal(image, images[0]) for image in images)
    assert len(stored(tmp_path / "store")) == 1  # no temporary file is left


def test_unreadable_sources(tmp_path):
    (tmp_path / "text.jpg").write_text("no image")
    for store in (None, tmp_path / "store"):
        with pytest.raises(OSError, match="not an image|No such file"):
            LoadResized((16, 32), store=store)({"img_path": str(tmp_path / "none.jpg")})
        with pytest.raises(OSError, match="not an image"):
            LoadResized((16, 32), store=store)({"img_path": str(tmp_path / "text.jpg")})
    assert stored(tmp_path / "store") == []


def test_a_cut_off_file_is_refused(picture):
    with open(picture, "rb+") as file:
        file.truncate(os.path.getsize(picture) - 9)
    with pytest.raises(OSError, match="cut off"):
        LoadResized((16, 32))({"img_path": picture})


def test_an_empty_file_is_refused(picture):
    open(picture, "wb").close()
    with pytest.raises(OSError, match="the file is empty"):
        LoadResized((16, 32))({"img_path": picture})


def smooth_picture(path, width, height):
    coarse = np.random.default_rng(0).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    cv2.imwrite(str(path), cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))
    return {"img_path": str(path)}


@pytest.mark.parametrize(
    "size, by", [((31, 64), 1), ((32, 64), 2), ((90, 140), 4), ((200, 300), 8)]
)
def test_a_draft_is_reduced_no_further_than_the_target(tmp_path, monkeypatch, size, by):
    record = smooth_picture(tmp_path / "a.jpg", *size)
    expected = LoadResized((16, 32))(dict(record))["img"].astype(int)
    flags, decode = [], cv2.imdecode
    monkeypatch.setattr(cv2, "imdecode", lambda *a: flags.append(a[1]) or decode(*a))
    draft = LoadResized((16, 32), draft=True)(dict(record))["img"].astype(int)
    names = {1: "COLOR", 2: "REDUCED_COLOR_2", 4: "REDUCED_COLOR_4", 8: "REDUCED_COLOR_8"}
    assert flags == [getattr(cv2, f"IMREAD_{names[by]}")]
    assert draft.shape == expected.shape
    assert np.abs(draft - expected).mean() < 8


def test_a_draft_minds_the_orientation_and_leaves_other_formats(tmp_path):
    smooth_picture(tmp_path / "a.jpg", 64, 32)  # on its side: shown as 32 x 64
    with Image.open(tmp_path / "a.jpg") as image:
        exif = image.getexif()
        exif[0x0112] = 6
        image.save(tmp_path / "side.jpg", exif=exif)
    load, draft = LoadResized((16, 32)), LoadResized((16, 32), draft=True)
    assert draft._decoding((tmp_path / "side.jpg").read_bytes()) == cv2.IMREAD_REDUCED_COLOR_2
    assert draft._decoding((tmp_path / "a.jpg").read_bytes()) == cv2.IMREAD_COLOR
    record = smooth_picture(tmp_path / "a.png", 64, 128)
    assert np.array_equal(draft(dict(record))["img"], load(dict(record))["img"])


def test_drafts_are_stored_apart(picture, tmp_path):
    stored = [
        LoadResized((16, 32), store=tmp_path, draft=draft).stored_file(picture) for draft in (0, 1)
    ]
    assert stored[0] != stored[1]


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), OSError(24, "Too many open files")]
)
def test_a_store_that_fails_is_said_once_and_costs_no_picture(
    picture, tmp_path, monkeypatch, error
):
    said = []

    def fails(*_, **__):
        raise error

    monkeypatch.setattr(load_resized, "print_log", lambda text, **_: said.append(text))
    expected = LoadResized(SCALE)(dict(img_path=picture))["img"]
    loader = LoadResized(SCALE, store=tmp_path / "store")
    for broken in ("tempfile.mkstemp", "np.fromfile"):
        with monkeypatch.context() as patch:
            patch.setattr(f"{load_resized.__name__}.{broken}", fails)
            for _ in range(2):
                assert np.array_equal(loader(dict(img_path=picture))["img"], expected)
    assert len(said) == 1 and str(tmp_path / "store") in said[0] and error.strerror in said[0]


def test_a_store_that_is_no_folder_is_refused_when_it_is_named(picture):
    with pytest.raises(UserError, match="LoadResized: store="):
        LoadResized(SCALE, store=picture)
