"""Warnings about settings, before the screen is there."""

import warnings
from argparse import ArgumentParser, Namespace

import pytest

from mmreid_ext.cli.screen.early import add_screen_arguments, brief_warnings, speaks


def warned(capsys, **options):
    args = Namespace(**dict(verbose=False, launcher=None) | options)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        before = warnings.showwarning
        with brief_warnings(args):
            warnings.warn("x has no effect", stacklevel=1)
        assert warnings.showwarning is before
    return capsys.readouterr().err


def test_one_line_without_the_source(capsys):
    assert warned(capsys) == "warning: x has no effect\n"


def test_other_ranks_are_silent(capsys, monkeypatch):
    for name, value in dict(WORLD_SIZE="2", RANK="1").items():
        monkeypatch.setenv(name, value)
    assert warned(capsys) == ""
    assert not speaks(Namespace(launcher="pytorch"))
    assert speaks(Namespace(launcher="none"))


@pytest.mark.parametrize("given", [[], ["--verbose"]])
def test_the_option(given):
    parser = ArgumentParser()
    add_screen_arguments(parser)
    assert parser.parse_args(given).verbose == bool(given)
