"""Values of ``--cfg-options``."""

import pytest
from helpers.configuration_file import load

from mmreid_ext.cli.config_options import ConfigOptions, read_options
from mmreid_ext.errors import UserError


@pytest.mark.parametrize(
    "text, value",
    [
        ("dict(a=1, b=[2, 3], c=dict(d='e'))", dict(a=1, b=[2, 3], c=dict(d="e"))),
        ("{'a': 1, 'b': None}", dict(a=1, b=None)),
        ("[dict(type='X'), dict(type='Y')]", [dict(type="X"), dict(type="Y")]),
        ("[a,b]", ["a", "b"]),
        ("1e-3", 1e-3),
        ("True", True),
        ("(16,32)", (16, 32)),
        ("plain", "plain"),
    ],
)
def test_values_of_options(path, text, value):
    assert ConfigOptions.read(text) == value
    head = load(path, "--cfg-options", f"model.head.new={text}").model.head
    assert head.new == value


@pytest.mark.parametrize(
    "item", ["novalue", "=3", "a={b:c", "a=dict(b)", "a={x}", "a=dict(b=f(1))", "a=[1,(2]"]
)
def test_unreadable_options_are_errors_of_usage(path, item, capsys):
    with pytest.raises(SystemExit) as caught:
        load(path, "--cfg-options", item)
    assert caught.value.code == 2
    assert item in capsys.readouterr().err


def test_options_without_a_parser():
    assert read_options(["a.b=1", "c=[x]", "a.b=2"]) == {"a.b": 2, "c": ["x"]}
    with pytest.raises(UserError, match="'novalue' is not of the form KEY=VALUE"):
        read_options(["novalue"])
