"""The C++ program reads every kind of JPEG file as Python does, or refuses it with a sentence."""

import cv2
import numpy as np
import pytest
from helpers.cpp_program import embed, expected, run, write_model
from helpers.exported_model import record
from PIL import Image

ORIENTATION, MAKER = 0x0112, 0x010F


@pytest.fixture(scope="module")
def picture():
    """A picture without any symmetry, and wide enough to tell a turned one."""
    coarse = np.random.default_rng(0).integers(0, 256, (16, 9, 3), np.uint8)
    return Image.fromarray(cv2.resize(coarse, (75, 143), interpolation=cv2.INTER_CUBIC))


@pytest.fixture
def model(tmp_path):
    write_model(tmp_path / "model.onnx", record(kind="rgb01"))
    return tmp_path / "model.onnx"


def oriented(value, order=b"II"):
    """EXIF data with an orientation."""
    exif = Image.Exif()
    exif.endian = "<" if order == b"II" else ">"
    exif[MAKER], exif[ORIENTATION] = "maker", value
    return exif


def write_kinds(folder, picture):
    """Write the picture as every kind of JPEG file that cameras and programs make."""
    folder.mkdir()
    for value in range(10):  # 1 to 8 mean something
        picture.save(folder / f"orientation_{value}.jpg", exif=oriented(value))
    picture.save(folder / "big_end_first.jpg", exif=oriented(6, b"MM"))
    picture.save(folder / "exif_is_junk.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f")
    for mode in ("L", "CMYK"):
        picture.convert(mode).save(folder / f"{mode}.jpg")
        picture.convert(mode).save(folder / f"{mode}_turned.jpg", exif=oriented(8))
    picture.save(folder / "progressive.JPEG", progressive=True)
    picture.save(folder / "full_colours.jpg", subsampling=0)
    picture.save(folder / "half_colours.jpg", subsampling=1)
    picture.save(folder / "stored_as_rgb.jpg", keep_rgb=True)
    picture.save(folder / "restarts.jpg", restart_marker_rows=1)
    content = (folder / "progressive.JPEG").read_bytes()
    (folder / "something_follows.jpg").write_bytes(content + b"more" * 9)


def test_every_kind_of_file_comes_out_as_in_python(program, picture, model, tmp_path):
    folder = tmp_path / "pictures"
    write_kinds(folder, picture)
    found = embed(program, model, folder, tmp_path / "out")
    assert sorted(found) == sorted(path.name for path in folder.iterdir())
    wanted = expected(model, record(kind="rgb01"), [folder / name for name in found])
    np.testing.assert_allclose(np.stack(list(found.values())), wanted, rtol=0, atol=2e-6)
    turned = [found[f"orientation_{value}.jpg"] for value in range(1, 9)]
    similar = np.stack(turned) @ np.stack(turned).T
    assert (similar - 2 * np.eye(8)).max() < 0.9999  # eight pictures, so each was turned


def write_damaged(folder, picture):
    """Write files that are no whole JPEG picture; return what is said about each."""
    folder.mkdir()
    picture.save(folder / "a_good.jpg")
    content = (folder / "a_good.jpg").read_bytes()
    files = {
        "cut.jpg": (content[: len(content) // 2], "cut off or damaged"),
        "cut_with_end.jpg": (content[: len(content) // 2] + b"\xff\xd9", "cut off or damaged"),
        "empty.jpg": (b"", "the file is empty"),
        "header_only.jpg": (content[:30], "JPEG"),
        "text.jpg": (b"no picture", "not a JPEG file"),
        "start_only.jpg": (b"\xff\xd8", "JPEG"),
        "huge.jpg": (_with_size(content, 65500, 65500), "more than 100 million"),
    }
    for name, (bytes_, _) in files.items():
        (folder / name).write_bytes(bytes_)
    picture.save(folder / "other.png")
    (folder / "a_folder.jpg").mkdir()
    return {name: said for name, (_, said) in files.items()} | {
        "other.png": "not a JPEG file",
        "a_folder.jpg": "not a regular file",
    }


def _with_size(content, height, width):
    at = content.index(b"\xff\xc0") + 5
    return content[:at] + height.to_bytes(2, "big") + width.to_bytes(2, "big") + content[at + 4 :]


def test_a_damaged_file_is_named_and_stops_or_is_skipped(program, picture, model, tmp_path):
    folder, out = tmp_path / "pictures", tmp_path / "out"
    said = write_damaged(folder, picture)
    (folder / "notes.txt").write_text("no picture, and not taken for one")
    (folder / ".hidden.jpg").write_bytes(b"")
    for name, words in said.items():
        if name == "a_folder.jpg":
            continue  # as the only thing named it is a folder of pictures
        ran = run(program, model, folder / name, "--out", out)
        assert ran.returncode == 1 and ran.stdout == ""
        assert name in ran.stderr and words in ran.stderr and ran.stderr.count("\n") == 1
    ran = run(program, model, folder, "--out", out)
    assert ran.returncode == 1 and "a_folder.jpg" in ran.stderr and "--skip" in ran.stderr
    assert list(out.iterdir()) == []  # neither whole nor half files
    found = embed(program, model, folder, out, "--skip", "--batch", 1)
    assert list(found) == ["a_good.jpg"]
    ran = run(program, model, folder, "--out", out, "--skip")
    assert all(f"Skipped {folder / name}: " in ran.stderr for name in said)
    assert f"1 pictures embedded, 8 numbers each, {len(said)} skipped" in ran.stdout


def test_nothing_left_is_an_error_and_damage_inside_a_warning(program, picture, model, tmp_path):
    (tmp_path / "text.jpg").write_text("no picture")
    ran = run(program, model, tmp_path / "text.jpg", "--out", tmp_path / "out", "--skip")
    assert ran.returncode == 1 and "none of the pictures can be read" in ran.stderr
    picture.save(tmp_path / "damaged.jpg", restart_marker_rows=1)
    content = (tmp_path / "damaged.jpg").read_bytes()
    at = content.index(b"\xff\xd0")  # bytes that a decoder can pass over
    (tmp_path / "damaged.jpg").write_bytes(content[:at] + b"\x12\x34" * 9 + content[at:])
    ran = run(program, model, tmp_path / "damaged.jpg", "--out", tmp_path / "out")
    assert ran.returncode == 0 and "Warning: " in ran.stderr and "damaged.jpg" in ran.stderr
