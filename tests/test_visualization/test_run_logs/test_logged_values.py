"""Values of a run: resumed parts, broken lines, epochs."""

import numpy as np
import pytest
from helpers.log_lines import train_line as train
from helpers.tiny_loops import make_runner

from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.visualization.run_logs import read_run_log


def test_a_resumed_run_is_put_together(write_log):
    write_log("run", "1", [train(5, loss=5), train(10, loss=4), train(15, loss=9)], '{"loss": 3')
    write_log("run", "2", [train(10, loss=3), {"a/mAP": 7.0, "time": 1.0, "step": 10}])
    folder = write_log("run", "3", [{"a/mAP": 99.0, "step": 0}])  # a test
    log = read_run_log(folder)
    assert (log.name, log.axis, log.unreadable) == ("run", "iteration", 1)
    assert log.series["loss"].at.tolist() == [5, 10] and log.series["loss"].values.tolist() == [
        5,
        3,
    ]
    assert log.series["a/mAP"].values.tolist() == [7]
    assert log.series["time"].values.tolist() == [9, 9], "that of a validation is another"
    assert list(log.series) == ["lr", "time", "loss", "a/mAP"]


def test_a_run_that_was_begun_again_replaces_the_first(write_log):
    write_log("run", "1", [train(step, loss=1) for step in (5, 10, 15)])
    folder = write_log("run", "2", [train(5, loss=2)])
    assert read_run_log(folder).series["loss"].values.tolist() == [2]


def test_epochs_are_the_axis_of_both(write_log):
    lines = []
    for epoch in (1, 2):
        for inner in (50, 100):
            step = 100 * (epoch - 1) + inner
            lines.append(train(step, loss=step, epoch=epoch))
        lines.append({"a/mAP": 1.0, "step": epoch})
    log = read_run_log(write_log("run", "1", lines))
    assert log.axis == "epoch"
    np.testing.assert_array_equal(log.series["loss"].at, [0.5, 1, 1.5, 2])
    np.testing.assert_array_equal(log.series["a/mAP"].at, [1, 2])


@pytest.mark.parametrize("epochs", [False, True])
def test_logs_of_our_loops(tmp_path, epochs):
    hooks = dict(logger=dict(type="LoggerHook", interval=1))
    make_runner(tmp_path, epochs=epochs, default_hooks=hooks).train()
    log = read_run_log(tmp_path)
    assert log.axis == ("epoch" if epochs else "iteration") and log.unreadable == 0
    assert {"loss", "lr", "score"} <= log.series.keys()
    assert log.series["score"].at[-1] == log.series["loss"].at[-1], "validated at the end"


def test_what_is_no_log_is_one_line(tmp_path):
    with pytest.raises(MissingFileError, match="nowhere is not there; give the work folder"):
        read_run_log(tmp_path / "nowhere")
    with pytest.raises(MissingFileError, match="has no TIME/vis_data/scalars.json"):
        read_run_log(tmp_path)
    path = tmp_path / "scalars.json"
    path.write_text('[1]\n{"loss": 3}\n{"step": true}\n{"step": NaN}\n\n' + "[" * 500 + "\n")
    with pytest.raises(UserError, match="no line with numbers and a 'step'"):
        read_run_log(path)
    path.write_bytes(
        b'\xff\x00garbage\n{"step": 1, "iter": 1, "loss": 2, "name": "x", "b": true}\n'
    )
    log = read_run_log(path)
    assert list(log.series) == ["loss"] and log.unreadable == 1
    lines = ['{"step": 1, "iter": 1, "loss": ' + "9" * 400 + "}", '{"step": 2, "epoch": Infinity}']
    path.write_text("\n".join(lines))
    log = read_run_log(path)
    assert log.series == {} and log.unreadable == 1
