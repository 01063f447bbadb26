"""They are run by test_exporting.py; here stands what they refuse and report."""

import pytest

from mmreid_ext.errors import MissingPackageError
from mmreid_ext.export.engines import ENGINES, has_engine, open_file
from mmreid_ext.export.plan import FORMATS


def test_every_format_has_an_engine():
    assert tuple(ENGINES) == FORMATS


@pytest.mark.parametrize("engine", ["ONNX Runtime", "OpenVINO"])
def test_one_that_is_not_installed(engine, monkeypatch, tmp_path):
    real = __import__("importlib").import_module

    def import_module(name, *rest):
        if name in ("onnxruntime", "openvino"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr("importlib.import_module", import_module)
    assert not has_engine(engine) and has_engine("TorchScript")
    with pytest.raises(MissingPackageError, match="mmreid_ext"):
        open_file(engine, tmp_path / "none.onnx")
