"""Build ``examples/cpp`` once, run it, and compute in plain words what it must return."""

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np

from mmreid_ext.pictures.decode import decode

from .exported_model import write_onnx
from .paths import ROOT

SOURCE = ROOT / "examples" / "cpp"
FILTERS = {
    "nearest": cv2.INTER_NEAREST,
    "bilinear": cv2.INTER_LINEAR,
    "bicubic": cv2.INTER_CUBIC,
    "lanczos": cv2.INTER_LANCZOS4,
}
_HEADER = "#include <cstdio>\n#include <jpeglib.h>\n"


def what_is_missing():
    """Return what the build needs and this machine lacks, in words; empty if nothing."""
    missing = [name for name in ("cmake", "c++") if shutil.which(name) is None]
    missing += [
        f"the Python package {name}"
        for name in ("openvino", "onnx", "onnxruntime")
        if importlib.util.find_spec(name) is None
    ]
    if "c++" not in missing:
        found = subprocess.run(
            ["c++", "-E", "-x", "c++", "-"], input=_HEADER, text=True, capture_output=True
        )
        if found.returncode:
            missing.append("libjpeg-turbo's header (Debian: libjpeg-dev)")
    return ", ".join(missing)


def cmake(*arguments):
    """Run CMake; its words are in the error."""
    ran = subprocess.run(
        ["cmake", *map(str, arguments)], capture_output=True, text=True, timeout=300
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def build(folder):
    """Build the program as its README says, warnings being errors; return its path."""
    from openvino.utils import get_cmake_path

    flags = ["-DCMAKE_CXX_FLAGS=-Werror", f"-DOpenVINO_DIR={get_cmake_path()}"]
    cmake("-S", SOURCE, "-B", folder, *flags)
    cmake("--build", folder)
    return folder / "reid_embed"


def run(program, *arguments):
    """Run the program without any setting of this shell that could help it."""
    env = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return subprocess.run(
        [str(program), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        env=env,
    )


def write_model(path, about, batch=None, text=None):
    """Write the tiny network of :mod:`helpers.exported_model` as an ONNX file.

    Args:
        path: The file.
        about: Its record.
        batch: Number of pictures that it takes at once. None: any.
        text: Written instead of the record.
    """
    import onnx

    write_onnx(path.parent, path.name, about)
    model = onnx.load(str(path))
    if text is not None:
        model.metadata_props[0].value = text
    if batch is not None:
        for place in (*model.graph.input, *model.graph.output):
            place.type.tensor_type.shape.dim[0].dim_value = batch
    onnx.save(model, str(path))


def embed(program, model, pictures, out, *options):
    """Return the embeddings that the program writes, by the names of the pictures."""
    ran = run(program, model, pictures, "--out", out, "--threads", 1, *options)
    assert ran.returncode == 0, ran.stderr
    rows, names = np.load(out / "embeddings.npy"), (out / "names.txt").read_text().splitlines()
    assert len(rows) == len(names) and rows.dtype == np.float32
    assert sorted(path.name for path in out.iterdir()) == [
        *("embeddings.npy", "model.json", "names.txt")
    ]
    return dict(zip(names, rows, strict=True))


def expected(model, record, pictures):
    """Embed files as the record says, in plain words: OpenCV in float32, ONNX Runtime.

    Args:
        model: The ONNX file.
        record: Its record.
        pictures: Paths.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    inputs = np.stack([_prepared(Path(path), record["input"]) for path in pictures])
    return session.run(None, {"images": inputs})[0]


def _prepared(path, taken):
    image = decode(path.read_bytes())[:, :, ::-1].astype(np.float32)
    for step in taken["steps"]:
        image = _changed(image, step)
    if taken["kind"] == "uint8":
        return np.clip(np.rint(image), 0, 255).astype(np.uint8)
    if taken["kind"] == "rgb01":
        return image.transpose(2, 0, 1) / np.float32(255)
    image = image if taken["channel_order"] == "RGB" else image[:, :, ::-1]
    mean, std = (taken[name] for name in ("mean", "std"))
    if mean is not None:
        image = (image - np.float32(mean)) / np.float32(std)
    return np.ascontiguousarray(image.transpose(2, 0, 1))


def _changed(image, step):
    height, width = image.shape[:2]
    if step["type"] == "center_crop":
        top, left = round((height - step["height"]) / 2), round((width - step["width"]) / 2)
        return image[top : top + step["height"], left : left + step["width"]]
    size = step.get("width"), step.get("height")
    if step["type"] == "resize_edge":
        long = step["size"] * max(height, width) // min(height, width)
        size = (step["size"], long) if width <= height else (long, step["size"])
    return cv2.resize(image, size, interpolation=FILTERS[step["interpolation"]]).clip(0, 255)
