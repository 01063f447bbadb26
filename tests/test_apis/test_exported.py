"""``ReIDInferencer`` of an exported model: the interface and the embeddings of the checkpoint."""

import json

import cv2
import numpy as np
import pytest
import torch
from helpers.exported_model import write_onnx
from helpers.small_checkpoint import write_small_checkpoint
from helpers.tools import run_tool

from mmreid_ext.apis import ReIDInferencer
from mmreid_ext.apis.embedding.identity import notes_of, require_same_model
from mmreid_ext.apis.exported import ExportedModel
from mmreid_ext.deploy import Embedder
from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.evaluation.results.features_file import load_features
from mmreid_ext.export import ExportPlan, export_model

THRESHOLD = dict(
    fpr=0.01, similarity=0.5, tpr=0.9, negatives=5000, dataset="d", self_retrieval=False
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A checkpoint, its exported files and a few pictures."""
    folder = tmp_path_factory.mktemp("exported")
    checkpoint = write_small_checkpoint(folder, thresholds=[THRESHOLD])
    plan = ExportPlan(folder / "out", formats=("onnx", "openvino"))
    export_model(None, checkpoint, plan, say=lambda text: None)
    rng = np.random.default_rng(0)
    (folder / "pictures").mkdir()
    for number in range(5):
        noise = rng.integers(0, 256, (12 + number, 6, 3), dtype=np.uint8)
        picture = cv2.resize(noise, (60, 120 + number), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / "pictures" / f"{number}.png"), picture)
    return folder


@pytest.fixture(scope="module")
def pytorch(folder):
    return ReIDInferencer(folder / "model.pth", device="cpu")


@pytest.fixture(scope="module", params=["model.onnx", "model.xml"])
def exported(folder, request):
    return ReIDInferencer(folder / "out" / request.param)


def test_on_the_same_inputs_the_embeddings_are_those_of_pytorch(folder, pytorch, exported):
    size = exported.use["input"]["height"], exported.use["input"]["width"]
    rng = np.random.default_rng(1)
    fitting = [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for _ in range(9)]
    expected, found = pytorch(fitting), exported(fitting)
    assert isinstance(found, torch.Tensor) and found.dtype == torch.float32
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    assert (expected[0] - expected[1]).abs().max() > 1e-3


def test_on_pictures_they_differ_by_the_rounding_of_8_bits(folder, pytorch, exported):
    expected, found = (one(folder / "pictures") for one in (pytorch, exported))
    assert (expected * found).sum(1).min() > 0.9995
    assert not torch.equal(expected, found)


def test_the_interface_is_that_of_a_checkpoint(folder, pytorch, exported):
    assert exported.use == pytorch.use and json.dumps(exported.use) == json.dumps(pytorch.use)
    assert exported.thresholds == pytorch.thresholds and exported.size == pytorch.size
    paths = sorted((folder / "pictures").iterdir())
    frame = cv2.imread(str(paths[0]))
    boxes = torch.tensor([[0.0, 0, 30, 60], [10, 10, 50, 100]])
    found, expected = exported.crops(frame, boxes), pytorch.crops(paths[0], boxes)
    assert found.shape == expected.shape and (found * expected).sum(1).min() > 0.9995
    tensor = torch.from_numpy(frame[..., ::-1].copy()).permute(2, 0, 1)
    assert torch.equal(exported(tensor), exported(paths[0]))
    pair = exported.compare(paths[0], paths[1]), pytorch.compare(paths[0], paths[1])
    assert pair[0].similarity == pytest.approx(pair[1].similarity, abs=1e-2)
    assert len(pair[0].answers) == 1
    lists = [one.search(paths[:2], paths, topk=1) for one in (exported, pytorch)]
    assert [m[0].path for m in lists[0]] == [m[0].path for m in lists[1]]
    assert exported.model is exported.loader is None and exported.device.type == "cpu"


def test_what_cannot_be_used_is_named_or_left_out(folder, exported, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"no picture")
    good = folder / "pictures" / "0.png"
    assert exported([good, tmp_path / "bad.png", good], skip=True).shape[0] == 2
    assert list(exported.skipped) == [1]
    with pytest.raises(MissingFileError, match="Image 1: there is no file"):
        exported([good, tmp_path / "none.png"])
    assert exported([]).shape == (0, exported.size)


def test_boxes_of_a_record_are_cut_out(folder, exported):
    path = str(folder / "pictures" / "0.png")
    found = exported.prepare_record({"img_path": path, "box": (5, 10, 20, 40)}, 0)["inputs"]
    crop = cv2.imread(path)[10:50, 5:25]
    assert torch.equal(found, exported._embedder.prepare(crop, 0)["inputs"])


def test_features_of_a_checkpoint_and_of_its_export_belong_together(folder, pytorch, exported):
    notes = notes_of(folder / "model.pth", pytorch)
    own = notes_of("any", exported)
    assert notes["use"] == own["use"]
    require_same_model(notes, "features.npz", own)
    other = json.loads(own["checkpoint"]) | {"weights": "another"}
    with pytest.raises(UserError, match="holds embeddings of another model"):
        require_same_model(notes, "f.npz", {**own, "checkpoint": json.dumps(other)})


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("model.pth", "onnxruntime"), r"backend='onnxruntime' runs exported models, .*export it"),
        (("out/model.onnx", "pytorch"), "is an exported model, backend='pytorch' runs checkpoints"),
        (("out/model.onnx", "onnxruntim"), "backend='onnxruntim' .did you mean 'onnxruntime'"),
        (("out/model.xml", "onnxruntime"), "onnxruntime runs .onnx files only"),
    ],
)
def test_backend_and_file_must_fit(folder, arguments, message):
    with pytest.raises(UserError, match=message):
        ReIDInferencer(folder / arguments[0], backend=arguments[1])


def test_no_configuration_and_no_other_device(folder):
    file = folder / "out" / "model.onnx"
    with pytest.raises(UserError, match="needs no configuration; give the file alone"):
        ReIDInferencer("metabin_r50", file)
    with pytest.raises(UserError, match="device='mps', must be 'cpu'"):
        ReIDInferencer(file, device="mps")
    with pytest.raises(UserError, match="device='cuda', must be 'cpu' with backend='openvino'"):
        ReIDInferencer(file, device="cuda", backend="openvino")
    assert isinstance(ReIDInferencer(file, backend="openvino").exported, ExportedModel)


def test_rows_are_those_of_embedder(tmp_path, folder):
    file = write_onnx(tmp_path)
    pictures = folder / "pictures"
    assert np.array_equal(ReIDInferencer(file)(pictures).numpy(), Embedder(file)(pictures))


def test_tools_take_an_exported_file(folder, tmp_path, monkeypatch, capsys):
    model, pictures = folder / "out" / "model.onnx", folder / "pictures"
    features = tmp_path / "features.npz"
    monkeypatch.setattr("sys.exit", lambda code=0: None)
    run_tool("embed", monkeypatch, model, pictures, "--out", features)
    assert len(load_features(features)[0].feats) == 5
    checkpoint = folder / "model.pth"
    found = []
    for each in (model, checkpoint):  # the gallery is the exported model's
        gallery = ("--gallery", features, "--model", each)
        run_tool("search", monkeypatch, pictures / "3.png", *gallery, "--topk", 1)
        found.append(capsys.readouterr().out)
        assert "3.png" in found[-1]
    run_tool("same", monkeypatch, pictures / "0.png", pictures / "0.png", "--model", model)
    assert "1.000" in capsys.readouterr().out


@pytest.mark.parametrize("kind, batch", [("rgb01", None), ("uint8", None), ("uint8", 4)])
def test_every_kind_of_exported_file_gives_the_embeddings_of_pytorch(
    folder, pytorch, tmp_path, kind, batch
):
    plan = ExportPlan(tmp_path, formats=("onnx", "openvino"), input=kind, batch=batch)
    export_model(None, folder / "model.pth", plan, say=lambda text: None)
    size = pytorch.use["input"]["height"], pytorch.use["input"]["width"]
    rng = np.random.default_rng(2)
    fitting = [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for _ in range(9)]
    expected = pytorch(fitting).numpy()
    for name in ("model.onnx", "model.xml"):
        embedder = Embedder(tmp_path / name)
        assert embedder.info.input.kind == kind
        assert abs(embedder(fitting) - expected).max() < 1e-5
