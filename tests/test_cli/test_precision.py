"""``--amp`` gives the precision that the device can do."""

import pytest
import torch
from mmengine.config import Config

from mmreid_ext.cli import precision


@pytest.mark.skipif(torch.cuda.is_available(), reason="for machines without an accelerator")
def test_mixed_precision_without_accelerator():
    amp = dict(type="AmpOptimWrapper", dtype="float16", loss_scale="dynamic", clip_grad=None)
    cfg = Config(dict(optim_wrapper=amp))
    precision.use_amp(cfg)
    assert cfg.optim_wrapper == dict(type="mmreid_ext.BFloat16OptimWrapper", clip_grad=None)
    with pytest.raises(ValueError, match="float16 needs a GPU"):
        precision.use_amp(cfg, "float16")


@pytest.mark.parametrize(
    "native, dtype, expected",
    [(True, "auto", "bfloat16"), (False, "auto", "float16"), (True, "float16", "float16")],
)
def test_mixed_precision_with_accelerator(monkeypatch, native, dtype, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: native)
    cfg = Config(dict(optim_wrapper=dict(type="OptimWrapper")))
    precision.use_amp(cfg, dtype)
    wanted = dict(type="AmpOptimWrapper", dtype=expected, loss_scale="dynamic")
    assert cfg.optim_wrapper == wanted
