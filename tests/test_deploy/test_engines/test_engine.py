"""A model is compared with its record; missing engines are named with their remedy."""

import numpy as np
import pytest

from mmreid_ext.deploy.engines.engine import Signature, engine_package, refused
from mmreid_ext.errors import MissingPackageError, UserError

FLOAT = np.dtype(np.float32)


@pytest.mark.parametrize("shape", [(None, 3, 32, 16), (4, 3, 32, 16), (None, None, None, None)])
def test_a_fitting_model_passes(shape):
    Signature(shape, "float32", 8).require((3, 32, 16), FLOAT, 8, "m.onnx")
    Signature(shape, "float32", None).require((3, 32, 16), FLOAT, 8, "m.onnx")


@pytest.mark.parametrize(
    "signature",
    [
        Signature((None, 3, 16, 32), "float32", 8),
        Signature((None, 32, 16), "float32", 8),
        Signature((None, 3, 32, 16), "float16", 8),
        Signature((None, 3, 32, 16), "uint8", 8),
        Signature((None, 3, 32, 16), "float32", 9),
        Signature((), "float32", 8),
    ],
)
def test_another_model_is_told(signature):
    with pytest.raises(UserError, match=r"^m.onnx takes .* says N x 3 x 32 x 16 float32 and 8"):
        signature.require((3, 32, 16), FLOAT, 8, "m.onnx")


def test_a_missing_package_names_the_extra():
    with pytest.raises(MissingPackageError, match=r"pip install 'mmreid_ext\[deploy\]'"):
        engine_package("an_engine_that_is_not_there")


def test_errors_of_engines_become_one_line():
    message = str(refused("m.onnx", "OpenVINO", RuntimeError("a\nb" * 1000)))
    assert "\n" not in message and len(message) < 450
