"""Old names of modules give the modules of today."""

import importlib
import sys

import pytest
from helpers.tools import run_python

from mmreid_ext.moved import MOVED, keep_old_names


@pytest.mark.parametrize("old", MOVED, ids=lambda name: name.removeprefix("mmreid_ext."))
def test_an_old_name_gives_the_new_module_and_warns(old, monkeypatch):
    monkeypatch.delitem(sys.modules, old, raising=False)
    with pytest.warns(FutureWarning, match=f"{old} is {MOVED[old]} now"):
        module = importlib.import_module(old)
    assert module is importlib.import_module(MOVED[old])
    assert module.__name__ == MOVED[old]
    monkeypatch.delitem(sys.modules, old)


def test_the_warning_points_at_the_import():
    result = run_python("from mmreid_ext.evaluation.comparison import compare; print(compare)")
    assert "<string>:1: FutureWarning" in result.stderr
    assert "function compare" in result.stdout


def test_unknown_names_stay_unknown():
    with pytest.raises(ModuleNotFoundError, match="mmreid_ext.evaluation.nothing"):
        importlib.import_module("mmreid_ext.evaluation.nothing")


def test_the_finder_is_put_in_once():
    before = list(sys.meta_path)
    keep_old_names()
    assert sys.meta_path == before
