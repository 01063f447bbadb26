"""A training of tools/train.py can be stopped, and says how it goes on."""

from argparse import ArgumentParser, Namespace

import pytest
from helpers.tiny_loops import make_runner

from mmreid_ext.cli.training import stopping
from mmreid_ext.engine.hooks import StopOnRequestHook
from mmreid_ext.stopping.request import StopRequest


def test_the_time_limit_is_read(capsys):
    parser = ArgumentParser()
    stopping.add_stop_arguments(parser)
    assert parser.parse_args(["--time-limit", "3h50m"]).time_limit == 13800
    with pytest.raises(SystemExit):
        parser.parse_args(["--time-limit", "tomorrow"])
    assert "'tomorrow', must be like 3h50m" in capsys.readouterr().err


def test_time_counts_from_the_start_of_the_program(monkeypatch):
    monkeypatch.setattr(stopping, "note_beginning", lambda: 12.0)
    request = stopping.listening(Namespace(time_limit=60))
    assert (request.limit, request.began) == (60, 12.0)


@pytest.mark.parametrize("own", [False, True])
def test_a_runner_gets_one_hook(tmp_path, own):
    hook = dict(type="mmreid_ext.StopOnRequestHook", time_limit="5m")
    runner = make_runner(tmp_path, custom_hooks=[hook] if own else None)
    request = StopRequest()
    stopping.stop_on(request, runner)
    (hook,) = [one for one in runner.hooks if isinstance(one, StopOnRequestHook)]
    assert hook.request is request
    assert request.limit == (300 if own else None)
