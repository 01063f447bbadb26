"""The form of the files: names, batch, operator set, description. Values: test_exporting.py."""

import json

import pytest
import torch

from mmreid_ext.export.deployed_network import DeployedNetwork
from mmreid_ext.export.quiet import quiet
from mmreid_ext.export.sample_images import network_input
from mmreid_ext.export.writers import (
    describe_onnx,
    write_onnx,
    write_openvino,
    write_torchscript,
)
from mmreid_ext.version import torch_is_at_least

onnx = pytest.importorskip("onnx")
DESCRIPTION = {"format": 1, "name": "Zoë", "embedding": {"size": 4}}


@pytest.fixture(scope="module")
def network(small):
    use = small.embedder.use["input"]
    images = network_input(small.inputs, "uint8", small.embedder.model, use)
    return DeployedNetwork(small.embedder.model, "uint8", use), images


def sizes(value):
    return [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]


@pytest.mark.parametrize("exporter, opset", [("torchscript", 17), ("dynamo", 18)])
@pytest.mark.parametrize("batch", [None, 3])
def test_onnx(exporter, opset, batch, network, tmp_path):
    if exporter == "dynamo":
        pytest.importorskip("onnxscript")
        if not torch_is_at_least(2, 5):
            pytest.skip("the newer exporter came with PyTorch 2.5")
    file = tmp_path / "model.onnx"
    with quiet(), torch.no_grad():
        write_onnx(network[0], network[1][: batch or 2], file, exporter, batch)
    describe_onnx(file, DESCRIPTION)
    model = onnx.load(str(file), load_external_data=False)
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
    (image,), (output,) = model.graph.input, model.graph.output
    assert (image.name, output.name) == ("images", "output")
    assert sizes(image) == [batch or "batch", 16, 8, 3] and sizes(output) == [batch or "batch", 4]
    assert image.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert [o.version for o in model.opset_import if o.domain == ""] == [opset]
    assert model.ir_version <= 10
    assert {p.key: json.loads(p.value) for p in model.metadata_props} == {"mmreid_ext": DESCRIPTION}


def test_openvino_keeps_the_description(network, tmp_path):
    openvino = pytest.importorskip("openvino")
    file = tmp_path / "model.onnx"
    with quiet(), torch.no_grad():
        write_onnx(network[0], network[1][:2], file, "torchscript", None)
    model = openvino.Core().read_model(str(file))
    for half in (False, True):
        write_openvino(model, tmp_path / f"{half}.xml", DESCRIPTION, half)
    found = openvino.Core().read_model(str(tmp_path / "True.xml"))
    assert json.loads(found.get_rt_info(["framework", "mmreid_ext"]).astype(str)) == DESCRIPTION
    assert found.input("images").partial_shape.to_string() == "[?,16,8,3]"
    weights = [(tmp_path / f"{half}.bin").stat().st_size for half in (False, True)]
    assert weights[1] < 0.6 * weights[0]


def test_torchscript_keeps_the_description(network, tmp_path):
    file = tmp_path / "model.torchscript"
    with quiet(), torch.no_grad():
        write_torchscript(network[0], network[1][:2], file, DESCRIPTION)
    extra = {"mmreid_ext": ""}
    module = torch.jit.load(str(file), _extra_files=extra)
    assert json.loads(extra["mmreid_ext"]) == DESCRIPTION
    assert module(network[1]).shape == (10, 4)
