"""OpenVINO computes in float32, and its errors are told in our words."""

import numpy as np
import pytest
from helpers.exported_model import write_onnx, write_openvino
from helpers.tools import run_python

from mmreid_ext.deploy.engines.openvino import OpenVino
from mmreid_ext.errors import MissingFileError, UserError

INPUT = np.ones((2, 3, 32, 16), np.float32)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return write_openvino(tmp_path_factory.mktemp("model"))


def test_what_a_file_takes_and_gives(file, tmp_path):
    for engine in (OpenVino(file, threads=1), OpenVino(write_onnx(tmp_path))):
        assert engine.inside.shape == (None, 3, 32, 16) and engine.inside.batch is None
        assert engine.inside.dtype == "float32" and engine.inside.size == 8
        assert engine.run(INPUT).shape == (2, 8)


def test_what_fails_inside_is_told_with_the_file(file):
    engine = OpenVino(file)
    engine._compiled = None
    with pytest.raises(UserError, match=r"model.xml can't be used by OpenVINO \('NoneType'"):
        engine.run(INPUT)


def test_it_computes_in_float32_with_the_threads_asked_for(file):
    compiled = OpenVino(file, threads=1)._compiled
    assert compiled.get_property("INFERENCE_PRECISION_HINT").to_string() == "f32"
    assert compiled.get_property("INFERENCE_NUM_THREADS") == 1


def test_results_stay_when_the_next_one_is_computed(file):
    engine = OpenVino(file)
    first = engine.run(INPUT)
    kept = first.copy()
    engine.run(INPUT * -2)
    assert np.array_equal(first, kept)


def test_missing_weights_and_damaged_files_are_told(tmp_path):
    file = write_openvino(tmp_path)
    file.with_suffix(".bin").unlink()
    with pytest.raises(MissingFileError, match=r"weights in model.bin, which isn't beside it"):
        OpenVino(file)
    file.with_suffix(".bin").write_bytes(b"x")
    with pytest.raises(UserError, match="can't be used by OpenVINO"):
        OpenVino(file)


def test_models_that_go_leave_signals_alone(file):
    """A loader's worker ends after two models, the older first: OpenVINO alone crashes here."""
    code = (
        "import signal, subprocess, sys; from pathlib import Path\n"
        "from mmreid_ext.deploy.engines.openvino import OpenVino\n"
        f"older = OpenVino(Path({str(file)!r})); newer = OpenVino(Path({str(file)!r}))\n"
        "del older; del newer\n"
        "signal.signal(signal.SIGCHLD, lambda *_: print('handled'))\n"
        "subprocess.run([sys.executable, '-c', ''])"
    )
    assert run_python(code).stdout == "handled\n"
