"""Fields of a record are checked, and whatever they are, messages stay on one short line."""

import pytest

from mmreid_ext.deploy.record_fields import Fields, quoted
from mmreid_ext.errors import UserError


@pytest.fixture
def fields():
    return Fields(
        {"a": 3, "word": "rgb", "mean": [4], "long": [1] * 9, "inner": {}}, "x.", "m.onnx"
    )


def test_values_are_returned(fields):
    assert fields.whole("a", 1, 3) == 3
    assert fields.per_channel("mean", 0, 9) == (4.0, 4.0, 4.0)
    assert fields.per_channel("nothing", 0, 9) is None
    assert fields.optional_text("nothing") is None
    assert fields.inner("inner").path == "x.inner."


def test_messages_name_place_value_and_remedy(fields):
    with pytest.raises(UserError, match=r"^m.onnx: x.a is 3, must be .* 1 to 2; export"):
        fields.whole("a", 1, 2)
    with pytest.raises(UserError, match=r"x.b is missing, must be true or false"):
        fields.flag("b")
    with pytest.raises(UserError, match=r"x.word is 'rgb', must be one of RGB, BGR .*did you mean"):
        fields.choice("word", ("RGB", "BGR"))
    with pytest.raises(
        UserError, match=r"x.long is a list of 9 entries, must be a list of at most"
    ):
        fields.items("long", 8)


def test_any_value_is_quoted_on_a_short_line():
    for value in (10**9999, "a\nb" * 999, [0] * 999, [10**9999], {"a": 1}, object(), None):
        assert len(quoted(value)) < 120 and "\n" not in quoted(value)
