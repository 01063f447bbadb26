import pytest
import torch

from mmreid_ext.checkpoint.converting import Translated, fit, require_complete
from mmreid_ext.errors import UserError

ONE = torch.ones(1)
WANTED = {
    "backbone.w": ONE,
    "backbone.bn.num_batches_tracked": torch.tensor(0),
    "head.neck.weight": ONE,
    "head.classifier.weight": torch.ones(3, 1),
}


def translated(refused=None, **state):
    named = {name.replace("__", "."): value for name, value in state.items()}
    return Translated(named, {name: f"their.{name}" for name in named}, refused=refused or {})


def test_a_complete_one_may_lack_counters_and_a_classifier():
    found = fit(translated(backbone__w=ONE.double(), head__neck__weight=ONE), WANTED)
    assert found.complete and found.unset == ["head.classifier.weight"]
    assert found.state["backbone.w"].dtype == torch.float32
    require_complete(found, "Own", "x.py")


def test_everything_else_is_told():
    found = fit(
        translated(
            {"aliens": ["their.z"]},
            backbone__w=torch.ones(2),
            backbone__extra=ONE,
            backbone__other__num_batches_tracked=ONE,
        ),
        WANTED,
    )
    assert not found.complete and found.state == {}
    assert found.unknown == {
        "aliens": ["their.z"],
        "no part of this network": ["their.backbone.extra"],
    }
    with pytest.raises(UserError) as error:
        require_complete(found, "Own", "x.py")
    text = str(error.value)
    assert "This checkpoint of Own isn't the network of x.py: 1 weight, aliens: their.z" in text
    assert "missing in the file: head.neck.weight" in text
    assert "of another shape: their.backbone.w (2,), here (1,)" in text and "--partial" in text
