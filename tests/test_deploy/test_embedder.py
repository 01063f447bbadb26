"""Images of every kind become the same rows, in both engines; and nothing else does."""

import json
import os

import cv2
import numpy as np
import pytest
from helpers.exported_model import info, record, write_onnx, write_openvino
from helpers.fake_images import write_image, write_images
from helpers.paths import DATA
from helpers.tools import run_python
from PIL import Image

from mmreid_ext.deploy import Embedder
from mmreid_ext.errors import MissingFileError, UserError, UserTypeError
from mmreid_ext.pictures.boxes import crop_edges
from mmreid_ext.pictures.folder import image_paths

PICTURES = [
    np.random.default_rng(n).integers(0, 256, (40 + n, 20, 3), dtype=np.uint8) for n in range(5)
]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {"onnx": write_onnx(folder), "xml": write_openvino(folder)}


@pytest.fixture(scope="module", params=["onnx", "xml"])
def embedder(files, request):
    return Embedder(files[request.param], threads=1, batch_size=2)


def test_rows_have_unit_length_and_the_order_of_the_images(embedder):
    found = embedder(PICTURES)
    assert found.shape == (5, 8) and found.dtype == np.float32
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    for picture, row in zip(PICTURES, found, strict=True):
        assert np.allclose(embedder(picture)[0], row, atol=1e-6)


def test_engines_agree(files):
    rows = [Embedder(files[kind])(PICTURES) for kind in ("onnx", "xml")]
    other = Embedder(files["onnx"], engine="openvino")(PICTURES)
    assert np.allclose(rows[0], rows[1], atol=1e-6) and np.allclose(rows[0], other, atol=1e-6)
    assert not np.allclose(rows[0], rows[0][::-1], atol=1e-2)


@pytest.mark.parametrize("kind", ["rgb01", "uint8"])
@pytest.mark.parametrize("write", [write_onnx, write_openvino])
def test_kinds_of_input_agree(tmp_path, embedder, kind, write):
    name = f"{kind}.{'onnx' if write is write_onnx else 'xml'}"
    other = Embedder(write(tmp_path, name, record(kind=kind)))
    # Bytes are rounded after the resizing.
    limit = 1e-6 if kind == "rgb01" else 2e-2
    assert np.allclose(other(PICTURES), embedder(PICTURES), atol=limit)
    fitting = [np.full((32, 16, 3), n, np.uint8) for n in (0, 99, 255)]  # nothing to resize
    assert np.allclose(other(fitting), embedder(fitting), atol=1e-6)


def test_every_kind_of_picture(embedder, tmp_path):
    bgr = PICTURES[0]
    cv2.imwrite(str(tmp_path / "a.png"), bgr)
    rgb = Image.fromarray(bgr[..., ::-1].copy())
    opaque = np.dstack([bgr, np.full(bgr.shape[:2], 255, np.uint8)])
    kinds = [bgr, opaque, rgb, tmp_path / "a.png", str(tmp_path / "a.png"), tmp_path]
    expected = embedder(bgr)
    for kind in kinds:
        assert np.array_equal(embedder(kind), expected)
    grey = bgr[..., 0]
    assert np.array_equal(embedder(grey), embedder(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)))


def test_folders_and_generators_are_read_batch_by_batch(embedder, tmp_path):
    write_images(tmp_path, "b.png", "a.png", "c.png")
    asked = []

    def pictures():
        for number in range(5):
            asked.append(number)
            yield PICTURES[number]

    original, seen = embedder._engine.run, []

    def run(batch):
        seen.append((len(batch), len(asked)))
        return original(batch)

    embedder._engine.run = run
    try:
        found = embedder(pictures())
    finally:
        embedder._engine.run = original
    assert seen == [(2, 2), (2, 4), (1, 5)]
    assert np.allclose(found, embedder(PICTURES), atol=1e-6)
    one_by_one = [tmp_path / name for name in ("a.png", "b.png", "c.png")]
    assert np.array_equal(embedder(tmp_path), embedder(one_by_one))


def test_boxes_of_a_frame(embedder, tmp_path):
    frame = np.random.default_rng(9).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    boxes = [[5, 5, 30, 60], [-10, 20.4, 15.6, 500]]
    crops = [crop_edges(frame, box, "box") for box in boxes]
    cv2.imwrite(str(tmp_path / "frame.png"), frame)
    expected = embedder(crops)
    for given in (frame, tmp_path / "frame.png", Image.fromarray(frame[..., ::-1].copy())):
        assert np.array_equal(embedder(given, np.array(boxes)), expected)
    assert embedder(frame, []).shape == (0, 8)
    assert embedder(frame, np.zeros((0, 4))).shape == (0, 8)
    with pytest.raises(UserError, match="^Box 1 is .* holds no pixel"):
        embedder(frame, [boxes[0], [200, 0, 210, 9]])
    with pytest.warns(UserWarning, match="1 image left out: Box 0"):
        assert len(embedder(frame, [[0, 0, 0, 0], boxes[0]], skip=True)) == 1
    assert list(embedder.skipped) == [0]
    with pytest.raises(UserTypeError, match="boxes belong to one frame"):
        embedder([frame], boxes)


def test_nothing_gives_an_empty_array_without_the_engine(files):
    embedder = Embedder(files["onnx"])
    embedder._engine.run = None
    for nothing in ([], iter(()), np.zeros((0, 32, 16, 3), np.uint8)):
        found = embedder(nothing)
        assert found.shape == (0, 8) and found.dtype == np.float32
    assert embedder.embed_inputs(np.zeros((0, 3, 32, 16), np.float32)).shape == (0, 8)


def test_what_cannot_be_used_is_named_or_left_out(embedder, tmp_path):
    good = write_image(tmp_path / "good.png")
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    images = [good, tmp_path / "bad.jpg", PICTURES[0] / 255, tmp_path / "none.jpg", good]
    for image, reason in (
        (images[1], r"bad\.jpg.*not an image"),
        (images[2], r"Image 0 has shape .*float64; expected an array"),
        (b"bytes", "Image 0 is of type bytes"),
    ):
        with pytest.raises(UserError, match=reason):
            embedder(image)
    with pytest.raises(MissingFileError, match=r"Image 1: there is no file .*none\.jpg"):
        embedder([good, images[3]])
    with pytest.warns(UserWarning, match="Embedder: 3 images left out: "):
        found = embedder(images, skip=True)
    assert list(embedder.skipped) == [1, 2, 3] and found.shape == (2, 8)
    embedder(good)
    assert embedder.skipped == {}


def test_comparisons_answer_at_the_thresholds_of_the_model(embedder):
    same = embedder.compare(PICTURES[0], PICTURES[0])
    assert same.similarity == pytest.approx(1) and [a.same for a in same.answers] == [True] * 2 + [
        None
    ]
    other = embedder.compare(np.zeros((9, 9, 3), np.uint8), np.full((9, 9, 3), 255, np.uint8))
    assert other.similarity < 0 and [a.same for a in other.answers] == [False, False, None]
    with pytest.raises(UserTypeError, match="compare: b must be one image"):
        embedder.compare(PICTURES[0], PICTURES)


@pytest.mark.parametrize(
    "inputs, message",
    [
        ([1, 2], "is of type list"),
        (np.zeros((1, 3, 32, 16)), "of type float64, the model takes float32"),
        (np.zeros((1, 3, 32, 16), np.uint8), "of type uint8, the model takes float32"),
        (np.zeros((3, 32, 16), np.float32), r"shape \(3, 32, 16\), the model takes \(N, 3, 32, 16"),
        (np.zeros((1, 32, 16, 3), np.float32), "has shape"),
        (np.zeros((0, 3, 9, 9), np.float32), "has shape"),
        (np.full((1, 3, 32, 16), 255, np.float32), "lie between 255 and 255, those of pictures"),
        (np.full((1, 3, 32, 16), np.nan, np.float32), "between nan and nan"),
    ],
)
def test_wrong_inputs_are_refused_in_our_words(embedder, inputs, message):
    with pytest.raises(UserError, match=message):
        embedder.embed_inputs(inputs)


def test_prepared_inputs_are_those_of_a_call(embedder):
    stack = np.stack([embedder.prepare(picture) for picture in PICTURES])
    assert embedder.batch_size == 2 and len(stack) == 5
    assert np.allclose(embedder.embed_inputs(stack), embedder(PICTURES), atol=1e-6)


def test_a_fixed_batch_is_filled_up(tmp_path, embedder):
    import onnx

    file = write_onnx(tmp_path)
    model = onnx.load(file)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].ClearField("dim_param")
        value.type.tensor_type.shape.dim[0].dim_value = 3
    onnx.save(model, file)
    for engine in ("onnxruntime", "openvino"):
        fixed = Embedder(file, engine=engine)
        assert np.allclose(fixed(PICTURES), embedder(PICTURES), atol=1e-6)


def test_a_file_of_another_program_is_used_with_a_description(tmp_path, embedder):
    import onnx

    file = write_onnx(tmp_path)
    file.with_name("model.onnx.json").unlink()
    model = onnx.load(file)
    del model.metadata_props[:]
    onnx.save(model, file)
    with pytest.raises(UserError, match=r"doesn't say how to use it.*info=ModelInfo"):
        Embedder(file)
    assert np.allclose(Embedder(file, info=info())(PICTURES), embedder(PICTURES), atol=1e-6)
    with pytest.raises(UserError, match=r"takes N x 3 x 32 x 16 float32 and gives 8 numbers; its"):
        Embedder(file, info=info(height=64))
    with pytest.raises(UserError, match=r"record says N x 3 x 32 x 16 float32 and 9: the record"):
        Embedder(file, info=info(size=9))


@pytest.mark.parametrize("options", [{"threads": 0}, {"threads": True}, {"batch_size": 1.5}])
def test_wrong_options(files, options):
    with pytest.raises(UserError, match=f"Embedder: {next(iter(options))}="):
        Embedder(files["onnx"], **options)
    with pytest.raises(MissingFileError):
        Embedder("none.onnx")


def test_threads_may_share_an_embedder(embedder):
    from concurrent.futures import ThreadPoolExecutor

    stacks = [np.stack([embedder.prepare(p)] * 3) for p in PICTURES]
    expected = [embedder.embed_inputs(stack) for stack in stacks]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(embedder.embed_inputs, stacks * 10))
    for number, rows in enumerate(found):
        assert np.allclose(rows, expected[number % 5], atol=1e-6)


ALONE = """
import json, os, sys
import numpy as np
import mmreid_ext.deploy
from mmreid_ext.deploy import Embedder
for file in sys.argv[1:]:
    rows = Embedder(file)([np.zeros((9, 9, 3), np.uint8)])
    assert rows.shape == (1, 8)
print(json.dumps(sorted(name.split(".")[0] for name in sys.modules)))
"""


def test_a_fresh_process_loads_neither_pytorch_nor_mm(files):
    result = run_python(ALONE, *map(os.fspath, files.values()))
    assert result.returncode == 0, result.stderr
    loaded = set(json.loads(result.stdout))
    assert {"cv2", "onnxruntime", "openvino"} <= loaded
    assert not loaded & {"torch", "torchvision", "mmengine", "mmcv", "mmpretrain", "mim"}


EVERY_MODULE = """
import importlib, json, pkgutil, sys
import mmreid_ext.deploy
for module in pkgutil.walk_packages(mmreid_ext.deploy.__path__, "mmreid_ext.deploy."):
    importlib.import_module(module.name)
print(json.dumps(sorted(sys.modules)))
"""


def test_no_module_of_deployment_loads_pytorch_or_mm():
    result = run_python(EVERY_MODULE)
    assert result.returncode == 0, result.stderr
    loaded = set(json.loads(result.stdout))
    assert "mmreid_ext.deploy.engines.openvino" in loaded
    heavy = {"torch", "torchvision", "mmengine", "mmcv", "mmpretrain", "onnxruntime", "openvino"}
    assert not {name.split(".")[0] for name in loaded} & heavy


def test_a_real_model_on_photos_agrees_with_resizing_of_8_bits(tmp_path):
    """The pixels of training are rounded, those of ``Embedder`` aren't."""
    folder = DATA / "Market-1501-v15.09.15" / "query"
    model = DATA / "weights" / "osnet_x0_25_msmt17.onnx"
    if not folder.is_dir() or not model.is_file():
        pytest.skip(f"needs Market-1501 in {folder} and {model} (set MMREID_DATA_ROOT)")
    photos = [cv2.imread(path) for path in image_paths(folder)[:400:10]]
    embedder = Embedder(model, threads=1, info=info(height=256, width=128, size=512))
    found = embedder(photos)
    resized = [cv2.resize(p, (128, 256), interpolation=cv2.INTER_CUBIC) for p in photos]
    cosines = (found * embedder(resized)).sum(1)
    assert cosines.mean() > 0.9998 and cosines.min() > 0.998
    other = Embedder(
        model, threads=1, engine="openvino", info=info(height=256, width=128, size=512)
    )
    assert abs(other(photos) - found).max() < 1e-5  # float32: bfloat16 is 1e-2 away
