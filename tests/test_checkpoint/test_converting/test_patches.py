import pytest

from mmreid_ext.checkpoint.converting.patches import grid_options
from mmreid_ext.errors import UserError

SIZE, CUT = "model.backbone.img_size", "model.backbone.patch_cfg"


@pytest.mark.parametrize(
    "patches, size, stride",
    [
        (16 * 8, (256, 128), 16),
        (24 * 8, (384, 128), 16),
        (16 * 16, (256, 256), 16),
        (14 * 14, (224, 224), 16),
        (21 * 10, (256, 128), 12),
        (31 * 10, (384, 128), 12),
        (21 * 21, (256, 256), 12),
    ],
)
def test_size_and_stride_of_a_grid(patches, size, stride):
    found = grid_options(patches)
    assert found.pop(SIZE) == size
    assert found == ({} if stride == 16 else {f"{CUT}.stride": stride, f"{CUT}.padding": 0})


def test_other_grids_are_refused():
    with pytest.raises(UserError, match="has 7 patches"):
        grid_options(7)
