import pytest
import torch
from helpers.plane_kernels import images, vectors

from mmreid_ext.models.norms import kernels
from mmreid_ext.models.norms.kernels import dispatch, generic, nchw, nhwc

LAYOUTS = {nchw: torch.contiguous_format, nhwc: torch.channels_last}


def test_which_kernels_serve_which_tensor():
    big, small = (1, 64, 16, 8), (2, 5, 4, 3)
    last = {"memory_format": torch.channels_last}
    chosen = {
        nchw: [torch.zeros(small), torch.zeros(big)],
        nhwc: [torch.zeros(big).to(**last)],
        generic: [
            torch.zeros(small).to(**last),
            torch.zeros(0, *small[1:]),
            torch.zeros(small)[:, :, ::2],
            torch.zeros(small, device="meta"),
        ],
    }
    for module, inputs in chosen.items():
        for x in inputs:
            assert dispatch.kernels_for(x) is module, x.shape


@pytest.mark.parametrize("module", LAYOUTS, ids=["nchw", "nhwc"])
def test_a_gradient_of_another_layout(module, monkeypatch):
    monkeypatch.setattr(dispatch, "SMALL_IMAGE", 1)
    x = images(LAYOUTS[module])
    assert dispatch.kernels_for(x) is module
    other = images(LAYOUTS[nchw if module is nhwc else nhwc], seed=2)
    scale, shift, slope = vectors(3)
    torch.testing.assert_close(
        kernels.plane_sums(x, other, shift), generic.plane_sums(x, other, shift)
    )
    torch.testing.assert_close(
        kernels.combine(other, scale, x, slope, shift),
        generic.combine(other, scale, x, slope, shift),
    )


@pytest.mark.parametrize("module", LAYOUTS, ids=["nchw", "nhwc"])
def test_each_operation_is_that_of_the_chosen_module(module, monkeypatch):
    monkeypatch.setattr(dispatch, "SMALL_IMAGE", 1)
    x, grad = images(LAYOUTS[module]), images(LAYOUTS[module], seed=2)
    scale, shift, slope = vectors(3)
    for name, inputs in {
        "instance_moments": (x,),
        "plane_sums": (x, grad, shift),
        "scale_shift": (x, scale, shift),
        "combine": (grad, scale, x, slope, shift),
    }.items():
        monkeypatch.setattr(module, name, lambda *given, name=name: (name, given))
        found, given = getattr(kernels, name)(*inputs)
        assert found == name
        assert all(a is b for a, b in zip(given, inputs, strict=True))
