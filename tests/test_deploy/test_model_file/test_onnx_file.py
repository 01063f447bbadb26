"""The reader of ONNX files finds metadata and external weights, and survives broken files."""

import random

import numpy as np
import onnx
import pytest
from helpers.exported_model import info, write_onnx
from onnx import TensorProto, helper, numpy_helper

from mmreid_ext.deploy.model_file.onnx_file import external_files, onnx_metadata


def test_metadata_are_those_that_onnx_reads(tmp_path):
    file = write_onnx(tmp_path)
    assert onnx_metadata(file, "mmreid_ext", 1 << 20) == info().to_json()
    assert onnx_metadata(file, "other", 1 << 20) is None


def test_a_long_record_is_refused(tmp_path):
    with pytest.raises(OSError, match="longer than 100 bytes"):
        onnx_metadata(write_onnx(tmp_path), "mmreid_ext", 100)


def test_external_files_are_found_wherever_they_are_named(tmp_path):
    file = write_onnx(tmp_path)
    assert external_files(file) == []
    model = onnx.load(file)
    onnx.save(model, file, save_as_external_data=True, location="weights.bin", size_threshold=0)
    assert external_files(file) == ["weights.bin"]

    outside = numpy_helper.from_array(np.zeros(3, np.float32), "c")
    outside.ClearField("raw_data")
    outside.data_location = TensorProto.EXTERNAL
    entry = outside.external_data.add()
    entry.key, entry.value = "location", "../../secret"
    node = helper.make_node("Constant", [], ["c"], value=outside)
    inner = helper.make_graph([node], "inner", [], [])
    branch = helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner)
    model.graph.node.append(branch)
    onnx.save(model, file)
    assert "../../secret" in external_files(file)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 zip", b"\xff" * 50, b"\x00" * 9, b"{}"])
def test_other_files_are_told(tmp_path, content):
    file = tmp_path / "model.onnx"
    file.write_bytes(content)
    for read in (external_files, lambda path: onnx_metadata(path, "mmreid_ext", 99)):
        with pytest.raises(OSError, match="no ONNX file|empty"):
            read(file)


def test_damaged_files_end_in_one_kind_of_error(tmp_path):
    content = bytearray(write_onnx(tmp_path).read_bytes())
    file, rng = tmp_path / "damaged.onnx", random.Random(0)
    refused = 0
    for _ in range(300):
        damaged = bytearray(content[: rng.randrange(1, len(content))])
        damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        file.write_bytes(damaged)
        try:
            onnx_metadata(file, "mmreid_ext", 1 << 20)
            external_files(file)
        except OSError:
            refused += 1
    assert refused > 100


def test_graphs_in_graphs_end(tmp_path):
    """A message that holds itself a thousand times is refused, not followed."""
    attribute = b""
    for _ in range(300):
        node = b"\x2a" + length(attribute) + attribute
        graph = b"\x0a" + length(node) + node
        attribute = b"\x32" + length(graph) + graph
    graph = attribute[1 + len(length(graph)) :]
    file = tmp_path / "deep.onnx"
    file.write_bytes(b"\x3a" + length(graph) + graph)
    with pytest.raises(OSError, match="no ONNX file"):
        external_files(file)


def length(content):
    number, out = len(content), b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])
