"""Test sets that a command line names must be in the file."""

from argparse import ArgumentParser

import pytest

from mmreid_ext.cli.feature_options import (
    add_dataset_argument,
    add_features_argument,
    asked_sets,
)
from mmreid_ext.errors import UserError


def test_all_sets_unless_some_are_asked_for():
    assert asked_sets(None, ["b", "a", "b"], "f.npz") == ["b", "a"]
    assert asked_sets(["a"], ["b", "a"], "f.npz") == ["a"]


def test_a_set_that_is_missing_is_named_with_those_that_are_there():
    with pytest.raises(UserError, match=r"--dataset marked: f.npz .* mean 'market'.*market, duke"):
        asked_sets(["duke", "marked"], ["market", "duke"], "f.npz")


def test_the_arguments_are_read():
    parser = ArgumentParser()
    add_features_argument(parser)
    add_dataset_argument(parser)
    args = parser.parse_args(["f.npz", "--dataset", "a", "b"])
    assert (args.features, args.dataset) == ("f.npz", ["a", "b"])
