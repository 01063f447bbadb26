"""Calls of MLflow, by a stand-in of the same names; the package itself is heavy."""

import json
import sys
from types import ModuleType

import numpy as np
import pytest
from mmengine.config import Config

from mmreid_ext.errors import UserError
from mmreid_ext.visualization.trackers import tracker
from mmreid_ext.visualization.trackers.mlflow_tracker import MLflowTracker, safe_name


@pytest.fixture
def calls(monkeypatch):
    """Calls of the stand-in, in order: name, arguments, options."""
    seen = []
    module = ModuleType("mlflow")

    def recorded(name):
        return lambda *arguments, **options: seen.append((name, arguments, options))

    for name in ("set_tracking_uri", "set_experiment", "start_run", "log_params", "log_text"):
        setattr(module, name, recorded(name))
    for name in ("log_metrics", "log_image", "log_dict", "end_run"):
        setattr(module, name, recorded(name))
    monkeypatch.setitem(sys.modules, "mlflow", module)
    return seen


def test_a_run(calls):
    run = MLflowTracker(None, "market", "first", "http://server")
    run.add_config(Config(dict(a=1, b=dict(c="x" * 999), log_level="INFO")))
    run.add_scalars({"loss": 1.5, "note": "no number", "m/TPR@FPR=0.01": 3}, step=7)
    run.add_image("ranked_lists/m", np.zeros((2, 2, 3), np.uint8), 7)
    run.add_histogram("gates", np.array([0.0, 1.0, 1.0]), 7)
    run.close()
    by_name = {name: (arguments, options) for name, arguments, options in calls}
    assert [name for name, *_ in calls[:3]] == ["set_tracking_uri", "set_experiment", "start_run"]
    assert by_name["start_run"][1] == dict(run_name="first")
    (params,) = by_name["log_params"][0]
    assert params["a"] == "1" and len(params["b.c"]) == 250
    assert by_name["log_metrics"] == (({"loss": 1.5, "m/TPR_FPR_0.01": 3.0},), dict(step=7))
    assert by_name["log_image"][0][1] == "ranked_lists/m_0000007.png"
    table, file = by_name["log_dict"][0]
    assert sum(table["counts"]) == 3 and table["step"] == 7 and json.dumps(table)
    assert file == "histograms/gates_0000007.json"
    assert calls[-1][0] == "end_run"


def test_its_own_default_store_is_used(calls):
    MLflowTracker().add_scalar("loss", 1.0, 1)
    assert "set_tracking_uri" not in [name for name, *_ in calls]


def test_a_validation_stands_at_its_iteration(calls):
    run = MLflowTracker()
    run.validation_step = 40
    run.add_scalars({"m/mAP": 50.0}, step=2)  # MMEngine's epoch
    assert calls[-1][2] == dict(step=40)


def test_many_parameters_go_in_parts(calls):
    MLflowTracker().add_config(Config({f"x{n}": n for n in range(250)}))
    sizes = [len(arguments[0]) for name, arguments, _ in calls if name == "log_params"]
    assert sizes == [100, 100, 50]


def test_a_server_that_does_not_answer_is_one_sentence(calls, monkeypatch):
    def fail(_):
        raise ConnectionError("refused")

    monkeypatch.setattr(sys.modules["mlflow"], "set_experiment", fail)
    with pytest.raises(UserError, match="^--mlflow: MLflow can't be opened, ConnectionError: ref"):
        MLflowTracker().add_scalar("loss", 1.0)


def test_a_server_that_is_lost_does_not_end_the_training(calls, monkeypatch):
    def fail(*_, **__):
        raise ConnectionError("lost")

    said = []
    monkeypatch.setattr(tracker, "print_log", lambda text, **_: said.append(text))
    opened = MLflowTracker()
    opened.add_scalar("loss", 1.0)
    monkeypatch.setattr(sys.modules["mlflow"], "log_metrics", fail)
    for step in range(3):
        opened.add_scalar("loss", 1.0, step)
    assert said == ["MLflow has lost values, ConnectionError: lost; scalars.json has all of them."]


def test_closing_what_was_never_opened(calls):
    MLflowTracker().close()
    assert calls == []


def test_names_that_it_takes():
    assert safe_name("a/b-c_d.e f") == "a/b-c_d.e f" and safe_name("R@1=ü") == "R_1_ü"
