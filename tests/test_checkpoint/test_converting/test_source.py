import pytest
import torch

from mmreid_ext.checkpoint.converting import Choice, Named, Source, translate
from mmreid_ext.checkpoint.converting.source import always, behind
from mmreid_ext.checkpoint.starting.layouts import rules
from mmreid_ext.errors import UserError


def source(*pairs, **parts):
    return Source(
        "own", "Own", (("a",),), always(rules(*pairs)), lambda state: Choice("x", {}, ""), **parts
    )


def test_weights_are_renamed_left_out_or_refused():
    state = {name: torch.full((1,), i) for i, name in enumerate(("a.w", "b.w", "c.w"))}
    found = translate(
        source((r"^a\.", "z."), dropped=(Named(r"^b", "idle"),), refused=(Named("c", "alien"),)),
        state,
    )
    assert found.state == {"z.w": state["a.w"]} and found.origin == {"z.w": "a.w"}
    assert found.dropped == {"idle": ["b.w"]} and found.refused == {"alien": ["c.w"]}


def test_values_are_changed_before_they_are_renamed():
    found = translate(
        source(change=lambda state: {**state, "b": state["a"] * 2}), {"a": torch.ones(1)}
    )
    assert found.state["b"].item() == 2


def test_two_weights_of_one_name_are_refused():
    with pytest.raises(UserError, match=r"Own: b, a would both be z"):
        translate(source(("[ab]", "z")), {"a": torch.ones(1), "b": torch.ones(1)})


def test_a_backbone_and_what_is_around_it():
    rename = behind("base.", rules((r"^x\.", "y.")), rules((r"^neck\.", "head.neck.")))
    assert rename("base.x.w") == "backbone.y.w" and rename("neck.b") == "head.neck.b"
