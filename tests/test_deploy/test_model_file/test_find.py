"""A record is looked for by the kind of the file, and beside it."""

import pytest
from helpers.exported_model import info, write_onnx

from mmreid_ext.deploy.model_file import embedded_record, record_beside
from mmreid_ext.errors import UserError


def test_inside_and_beside(tmp_path):
    file = write_onnx(tmp_path)
    assert embedded_record(file) == record_beside(file) == info().to_json()
    file.with_name("model.onnx.json").unlink()
    assert record_beside(file) is None


def test_a_broken_file_is_named(tmp_path):
    file = tmp_path / "model.onnx"
    file.write_bytes(b"\xff")
    with pytest.raises(UserError, match=r"model.onnx can't be read: it is no ONNX file"):
        embedded_record(file)


@pytest.mark.parametrize("content", [b"\xff\xfe", b" " * (1 << 20) + b"{}"])
def test_what_is_no_record_beside_is_named(tmp_path, content):
    file = write_onnx(tmp_path)
    file.with_name("model.onnx.json").write_bytes(content)
    with pytest.raises(UserError, match=r"model.onnx.json"):
        record_beside(file)
