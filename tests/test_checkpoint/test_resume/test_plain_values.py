"""What a value of a checkpoint may be."""

import numpy as np
import pytest
import torch

from mmreid_ext.checkpoint.resume.plain_values import (
    NUMBERS,
    PARTS,
    TEXTS,
    WHOLE,
    is_number,
    is_small,
    is_whole,
    require,
)
from mmreid_ext.errors import UserError
from mmreid_ext.shorten import brief


def test_whole_numbers_and_numbers():
    assert is_whole(0) and is_whole(np.int64(3)) and is_whole(-1, -1) and is_whole(2**63 - 1)
    for other in (True, -1, 2.0, "1", None, 2**63, 10**400, float("nan")):
        assert not is_whole(other)
    for number in (1, -2.5, np.float32(1), torch.tensor(3.0)):
        assert is_number(number)
    for other in (True, "1", None, [1], torch.zeros(2), 10**400):
        assert not is_number(other)


def test_endless_and_deep_values_are_not_small():
    shared, deep = [0], []
    for _ in range(60):
        shared, deep = [shared, shared], [deep]
    assert not is_small(shared) and not is_small(deep)
    assert not is_small(object()) and not is_small([print])
    assert is_small(dict(a=[1, (2.0, None)], b=torch.zeros(3), c=np.ones(2), d={1, 2}))


def test_lists_and_dictionaries():
    assert NUMBERS.admits([1, 2.5]) and not NUMBERS.admits([1, "2"]) and not NUMBERS.admits(3)
    assert TEXTS.admits(("a",)) and not TEXTS.admits("a")
    assert PARTS.admits({}) and not PARTS.admits({1: 2})


@pytest.mark.parametrize(
    "value, text",
    [
        pytest.param(10**6000, "an integer of 19932 bits", id="huge"),
        ("a\x1b[31m\nb" + "c" * 500, "'a [31m b"),
        ([1, 2], "(list)"),
        ({}, "{}"),
        (None, "None"),
    ],
)
def test_a_refusal_is_one_short_line(value, text):
    assert brief(value).startswith(text)
    with pytest.raises(UserError, match="must be a whole number") as error:
        require("x.pth", "meta.iter", value, WHOLE)
    assert len(str(error.value)) < 300 and str(error.value).isprintable()
