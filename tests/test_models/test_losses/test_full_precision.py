import inspect

import pytest
import torch

from mmreid_ext.models.losses.full_precision import in_full_precision, widen


class Product:
    @in_full_precision
    def forward(self, x, factor=2, *, name="y"):
        """Multiply."""
        self.product = x @ x.t()
        return x, factor, name


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_narrow_tensors_are_widened(dtype):
    x = torch.rand(2, 2).to(dtype)
    assert widen(x).dtype == torch.float32
    assert torch.equal(widen(x), x.float())
    found, factor, name = Product().forward(x, 3, name="z")
    assert found.dtype == torch.float32
    assert (factor, name) == (3, "z")
    assert Product().forward(x=x)[0].dtype == torch.float32


@pytest.mark.parametrize("value", [torch.rand(2).double(), torch.arange(2), None, "text", 1.5])
def test_anything_else_is_not_changed(value):
    assert widen(value) is value


def test_autocast_is_off_inside():
    product = Product()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        product.forward(torch.rand(2, 2))
    assert product.product.dtype == torch.float32


def test_signature_and_docstring_stay_visible():
    assert list(inspect.signature(Product().forward).parameters) == ["x", "factor", "name"]
    assert Product.forward.__doc__ == "Multiply."
