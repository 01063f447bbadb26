import pytest
import torch

from mmreid_ext.models.necks.map_pooling import MapPooling


class Sum(MapPooling):
    def pool(self, x):
        return x.sum((2, 3))


def test_one_map_or_one_per_stage():
    maps = torch.rand(2, 3, 4, 5)
    assert torch.equal(Sum()(maps), maps.sum((2, 3)))
    found = Sum()((maps, maps[:, :1]))
    assert isinstance(found, tuple)
    assert [f.shape for f in found] == [(2, 3), (2, 1)]


@pytest.mark.parametrize("inputs", [torch.rand(2, 3), (torch.rand(1, 2, 3, 4), torch.rand(2, 3))])
def test_vectors_are_refused(inputs):
    with pytest.raises(ValueError, match=r"Sum: .* shape \(2, 3\), but must be maps.*neck=None"):
        Sum()(inputs)


def test_a_subclass_without_pool():
    with pytest.raises(TypeError, match="abstract.*pool"):
        MapPooling()
