"""What old releases of PyTorch call otherwise is found on old and new ones."""

import inspect
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from mmreid_ext.compat.old_pytorch import (
    BY_TRACING,
    call_before_loading,
    compiling_of,
    is_compiling,
)


def test_the_public_function_is_taken_where_there_is_one():
    public, private = object(), object()
    old = SimpleNamespace(compiler=SimpleNamespace(), _utils=SimpleNamespace(is_compiling=private))
    assert compiling_of(old) is private
    new = SimpleNamespace(compiler=SimpleNamespace(is_compiling=public), _utils=old._utils)
    assert compiling_of(new) is public


@pytest.mark.slow
def test_torch_compile_takes_it_for_a_constant():
    def double_if_compiled(x):
        return x * 2 if is_compiling() else x

    compiled = torch.compile(double_if_compiled, backend="eager", fullgraph=True)
    assert double_if_compiled(torch.ones(1)).item() == 1 and compiled(torch.ones(1)).item() == 2


class OldLinear(nn.Linear):
    """A layer of PyTorch 2.1."""

    @property
    def register_load_state_dict_pre_hook(self):
        raise AttributeError


@pytest.mark.parametrize("kind", [nn.Linear, OldLinear])
def test_hooks_are_called_before_weights_are_loaded(kind):
    layer, called = kind(2, 1), []
    handle = call_before_loading(layer, lambda module, state, *_: called.append((module, state)))
    assert handle.id in layer._load_state_dict_pre_hooks
    layer.load_state_dict(layer.state_dict())
    assert called[0][0] is layer and "weight" in called[0][1]


def test_the_exporter_knows_the_argument():
    known = inspect.signature(torch.onnx.export).parameters
    assert ("dynamo" in BY_TRACING) == ("dynamo" in known)
    assert not BY_TRACING.get("dynamo")
