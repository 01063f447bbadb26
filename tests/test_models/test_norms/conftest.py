import pytest
import torch


@pytest.fixture(params=[torch.contiguous_format, torch.channels_last], ids=["nchw", "nhwc"])
def memory_format(request):
    return request.param
