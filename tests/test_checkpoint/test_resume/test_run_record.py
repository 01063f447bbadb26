"""The record of what decides a run."""

from helpers.tiny_loops import make_runner

from mmreid_ext.checkpoint import to_plain
from mmreid_ext.checkpoint.resume.run_record import changes, describe_run, flatten


def test_changes_are_named_in_both_directions():
    before, now = flatten(dict(a=1, b=dict(c=[1, 2]))), flatten(dict(a=2, b=dict(c=[1]), d=None))
    assert changes(before, now) == [
        "a was 1, is 2",
        "d was not set, is None",
        "b.c.1 was 2, is not set",
    ]


def test_description_is_plain(tmp_path):
    runner = make_runner(tmp_path)
    assert describe_run(runner) is None  # nothing is built
    runner.train()
    described = describe_run(runner)
    assert to_plain(described) == described
