"""The camera rule, for arrays and tensors."""

import numpy as np
import torch

from mmreid_ext.protocols import other_camera


def test_the_rule_is_the_same_for_arrays_and_tensors():
    cameras = np.arange(-2, 3)
    for query in cameras:
        expected = [query >= 0 and other >= 0 and query != other for other in cameras]
        assert other_camera(query, cameras).tolist() == expected
        assert other_camera(torch.tensor(query), torch.tensor(cameras)).tolist() == expected
