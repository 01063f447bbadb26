import numpy as np
import pytest
import torch

from mmreid_ext.visualization.arrays import as_numpy


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_floating_tensors_become_float64(dtype):
    values = torch.tensor([0.5, -2.0], dtype=dtype, requires_grad=True)
    array = as_numpy(values)
    assert array.dtype == np.float64 and array.tolist() == [0.5, -2.0]


def test_other_values_keep_their_type():
    assert as_numpy(torch.tensor([1, 2])).dtype == np.int64
    assert as_numpy(torch.tensor([True])).dtype == bool
    assert as_numpy([1, 2]).tolist() == [1, 2]
    array = np.ones(2, np.float32)
    assert as_numpy(array) is array
