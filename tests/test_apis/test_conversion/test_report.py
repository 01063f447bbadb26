from pathlib import Path

import torch
from helpers.recorded_networks import resnet

from mmreid_ext.apis.conversion.convert import Conversion
from mmreid_ext.apis.conversion.report import report_lines
from mmreid_ext.checkpoint.converting import Fit, Translated, source_named

RECORD = {
    "embedding": {"size": 512},
    "input": {
        "height": 256,
        "width": 128,
        "steps": [dict(type="resize", interpolation="bicubic", backend="pillow")],
        "channel_order": "RGB",
        "mean": [1.0],
        "std": [2.0],
    },
    "network": {"head.test_feature": "embeddings"},
}


def report(found, **changes):
    values = dict(
        source=source_named("fastreid"),
        seen=["heads.weight"],
        config=Path("configs/migrated/fastreid_r50.py"),
        options={"model.backbone.arch": dict(depth=1), "model.head.num_classes": 5},
        assumed="last stride 1",
        translated=Translated(dropped={"of no use": ["pixel_mean"]}),
        fit=found,
        record=RECORD,
    )
    return list(report_lines(Conversion(**{**values, **changes}), "a.pth", "b.pth"))


def test_a_complete_conversion():
    lines = report(Fit(dict(resnet()), unset=["head.classifier.weight"]))
    text = "\n".join(lines)
    assert lines[0] == "a.pth: taken for fast-reid (it has heads.weight)"
    assert 'fastreid_r50.py with model.backbone.arch="dict(_delete_=True, depth=1)"' in text
    assert "taken as fast-reid does by default: last stride 1" in text
    assert "left out, of no use: pixel_mean" in text
    assert "needed for training alone: head.classifier.weight" in text
    assert "512 numbers, after the neck; images: 256 x 128, bicubic by pillow, RGB" in text
    # The number of identities doesn't matter to a test.
    assert lines[-1].endswith(
        'b.pth --cfg-options model.backbone.arch="dict(_delete_=True, depth=1)"'
    )
    assert "NOT" not in text and "RANDOM" not in text


def test_an_incomplete_one_says_so():
    found = Fit(
        {"a": torch.ones(1)},
        unknown={"non-local blocks": ["NL_1"]},
        missing=["head.neck.weight"],
        reshaped=["b (1,), here (2,)"],
    )
    text = "\n".join(report(found, seen=[], assumed="", options={}))
    assert "taken for" not in text and "by default" not in text and "--cfg-options" not in text
    assert "NOT taken over, non-local blocks: NL_1" in text
    assert "NOT taken over, of another shape: b (1,), here (2,)" in text
    assert "RANDOM, not in the file: head.neck.weight" in text
    assert "its embeddings are not those of the file's network" in text
