"""The text of a configuration is read as literals, and nothing in it runs."""

import pytest
from mmengine.config import Config

from mmreid_ext.checkpoint.usage.configuration_text import read_settings
from mmreid_ext.errors import UserError

VALUES = dict(
    model=dict(
        type="A",
        strides=(1, 2),
        one=(3,),
        empty=dict(),
        nothing=None,
        rate=-1e-3,
        flags=[True, False],
        nested=[dict(a=[(1, 2), [3]]), "it's\n"],
        odd={"a-b": 1, "c d": dict(e=2)},
        numbers={1: "x"},
    ),
    default_scope="mmpretrain",
)


def test_what_mmengine_writes_is_read_back():
    text = Config(VALUES).pretty_text
    assert read_settings(text, ("model", "default_scope")) == Config(VALUES).to_dict()
    assert read_settings(text, ("default_scope",)) == dict(default_scope="mmpretrain")


@pytest.mark.parametrize(
    "value",
    [
        "open('ran', 'w')",
        "dict(a=__import__('os').system('touch ran'))",
        "[x for x in (1,)]",
        "other",
        "dict(**other)",
        "dict([('a', 1)])",
        "{**other}",
        "f'{1}'",
        "(lambda: 1)()",
        "dict.fromkeys('a')",
    ],
)
def test_what_is_no_literal_is_refused_and_does_not_run(value, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = f"other = open('ran', 'w')\nmodel = {value}\n"
    with pytest.raises(UserError, match="^model.* no literal"):
        read_settings(text, ("model",))
    assert read_settings(text, ("default_scope",)) == {}
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_python_is_refused():
    for text in ("model = dict(", "a b c", "\0", "model = " + "(" * 5000):
        with pytest.raises(UserError, match="^It is no Python"):
            read_settings(text, ("model",))
