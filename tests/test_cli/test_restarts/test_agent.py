"""The agent passes on requests to stop, and makes no attempt that would end as the last one."""

import json
import signal
from types import SimpleNamespace

import pytest
from torch.distributed.elastic.agent.server.api import RunResult, WorkerState
from torch.distributed.elastic.agent.server.local_elastic_agent import LocalElasticAgent
from torch.distributed.elastic.multiprocessing import api
from torch.distributed.launcher import api as launcher

from mmreid_ext.cli.restarts import agent as module
from mmreid_ext.cli.restarts.agent import PATIENCE, ReIDAgent, Requests


@pytest.fixture
def requests(monkeypatch):
    monkeypatch.setattr(api, "_terminate_process_handler", api._terminate_process_handler)
    monkeypatch.setattr(launcher, "LocalElasticAgent", launcher.LocalElasticAgent)
    before = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGUSR1)}
    yield Requests()
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def agent(requests, monkeypatch):
    """An agent whose ranks are processes 1001 and 1002, and the signals that they get."""
    sent = []
    monkeypatch.setattr(module.os, "kill", lambda pid, number: sent.append((pid, number)))
    agent = ReIDAgent.__new__(ReIDAgent)
    agent._requests, agent._remaining_restarts, agent.sent = requests, 3, sent
    agent._pcontext = SimpleNamespace(
        pids=lambda: {0: 1001, 1: 1002}, close=lambda **options: sent.append(options)
    )
    requests.watch(agent)
    return agent


def ended(agent, monkeypatch, *codes, state=WorkerState.FAILED):
    failures = {rank: SimpleNamespace(exitcode=code) for rank, code in enumerate(codes)}
    result = RunResult(state=state, failures=failures)
    monkeypatch.setattr(LocalElasticAgent, "_monitor_workers", lambda *_: result)
    assert agent._monitor_workers(None) is result
    return agent._requests.code, agent._remaining_restarts


def test_the_launcher_takes_our_agent_and_handler(requests):
    requests.install()
    assert launcher.LocalElasticAgent.func is ReIDAgent
    assert api._terminate_process_handler == requests.receive == signal.getsignal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGUSR1) == requests.receive


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_request_goes_to_all_ranks(agent, requests, number):
    requests.receive(number, None)
    assert agent.sent == [(1001, signal.SIGUSR1), (1002, signal.SIGUSR1)]
    assert requests.asked


def test_a_second_sigterm_is_torchruns_to_handle(agent, requests, monkeypatch):
    requests.receive(signal.SIGTERM, None)
    requests.receive(signal.SIGTERM, None)  # in the same second: the group got it, too
    monkeypatch.setattr(module, "ONE_REQUEST", 0.0)
    with pytest.raises(api.SignalException):
        requests.receive(signal.SIGTERM, None)
    with pytest.raises(api.SignalException):
        requests.receive(signal.SIGINT, None)


def test_a_request_before_there_are_ranks_or_between_attempts(agent, requests, monkeypatch):
    agent._pcontext = None
    requests.receive(signal.SIGTERM, None)
    monkeypatch.setattr(LocalElasticAgent, "_start_workers", lambda *_: pytest.fail("started"))
    with pytest.raises(SystemExit) as caught:
        agent._start_workers(None)
    assert caught.value.code == 75


def test_ranks_that_wait_for_a_dead_one_are_not_given_much_time(agent, monkeypatch):
    monkeypatch.setattr(LocalElasticAgent, "_start_workers", lambda *_: {0: 1001})
    assert agent._start_workers(None) == {0: 1001}
    agent._pcontext.close()
    assert agent.sent == [dict(timeout=PATIENCE)]


@pytest.mark.parametrize("codes", [(1,), (-9, 1), (-11,), (75,)])
def test_a_dead_rank_is_started_again(agent, monkeypatch, codes):
    """Exit code 75 alone says nothing: it must have been noted, or asked for."""
    assert ended(agent, monkeypatch, *codes) == (0, 3)


def test_a_healthy_run_goes_on(agent, monkeypatch):
    assert ended(agent, monkeypatch, state=WorkerState.HEALTHY) == (0, 3)


@pytest.mark.parametrize("codes, code", [((75, -10), 75), ((-15,), 75), ((75, 1), 0), ((-9,), 0)])
def test_after_a_request_there_is_no_other_attempt(agent, requests, monkeypatch, codes, code):
    requests.receive(signal.SIGUSR1, None)
    assert ended(agent, monkeypatch, *codes) == (code, 0)


@pytest.mark.parametrize("code", [1, 2, 75])
def test_a_verdict_of_the_ranks_holds(agent, monkeypatch, tmp_path, code):
    agent._pcontext.error_files = {1: str(tmp_path / "attempt_0" / "1" / "error.json")}
    (tmp_path / "mmreid_ext_over.json").write_text(json.dumps([code, "why"]))
    assert ended(agent, monkeypatch, -15, code) == (code, 0)
