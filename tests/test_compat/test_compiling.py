"""The function that says whether torch.compile reads the code, of old and new PyTorch."""

from types import SimpleNamespace

import pytest
import torch

from mmreid_ext.compat.compiling import compiling_of, is_compiling


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
