import pytest
import torch

from mmreid_ext.models.norms.kernels import dispatch

LAYOUTS = {
    "nchw": (torch.contiguous_format, 1),
    "nhwc": (torch.channels_last, 1),  # kernels that serve large images only, here all
    "nhwc-small": (torch.channels_last, 1 << 30),
}


@pytest.fixture(params=LAYOUTS)
def memory_format(request, monkeypatch):
    layout, small_image = LAYOUTS[request.param]
    monkeypatch.setattr(dispatch, "SMALL_IMAGE", small_image)
    return layout
