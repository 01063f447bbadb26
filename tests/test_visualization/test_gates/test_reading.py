"""Gates of checkpoints and logs, and what is no gate."""

import json

import numpy as np
import pytest
import torch
from helpers.tiny_reid import tiny_model

from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.registry import MODELS
from mmreid_ext.visualization.gates import read_course, read_gates, read_logged_course
from mmreid_ext.visualization.gates.reading import numbered_checkpoints
from mmreid_ext.visualization.run_logs import read_run_log


def test_gates_are_those_of_the_network(tmp_path):
    model = MODELS.build(tiny_model())
    generator = torch.Generator().manual_seed(0)
    for layer in model.bin_layers().values():
        layer.gate.data.uniform_(generator=generator)
    torch.save(dict(state_dict=model.state_dict()), tmp_path / "epoch_7.pth")
    found = read_gates(tmp_path / "epoch_7.pth")
    assert (found.source, found.at) == ("epoch_7.pth", 7)
    assert list(found.layers) == list(model.bin_layers())
    for name, layer in model.bin_layers().items():
        np.testing.assert_array_equal(found.layers[name], layer.gate.detach().double().numpy())


def test_a_gate_of_another_module_is_none(tmp_path, write_gates):
    path = write_gates(tmp_path / "a.pth", {"backbone.bn1": [0.5]}, prefix="module.")
    content = torch.load(path, weights_only=True)
    content["state_dict"]["backbone.layer1.0.gate"] = torch.zeros(3)  # an attention's, say
    torch.save(content, path)
    assert list(read_gates(path).layers) == ["backbone.bn1"]


def test_what_has_no_gates_is_one_line(tmp_path, write_gates):
    path = write_gates(tmp_path / "none.pth", {})
    with pytest.raises(UserError, match="has no batch-instance norm.*mmreid_ext.BIN"):
        read_gates(path)
    path = write_gates(tmp_path / "nan.pth", {"backbone.bn1": [0.5, np.nan]})
    with pytest.raises(UserError, match="gates of backbone.bn1 are empty or not finite"):
        read_gates(path)
    with pytest.raises(MissingFileError, match="no checkpoint iter_N.pth"):
        numbered_checkpoints(tmp_path)


def test_the_course_of_a_training_is_in_order(training):
    files = numbered_checkpoints(training)
    assert [path.name for path in files] == ["iter_10.pth", "iter_20.pth", "iter_30.pth"]
    read, course = read_course(files)
    assert [gates.at for gates in read] == [10, 20, 30] == course.at.tolist()
    assert (course.axis, course.stages) == ("iteration", ["stem", "layer1", "layer2"])
    expected = 1 - np.outer([0, 1, 2], [10, 20, 30]) / 100
    np.testing.assert_allclose(course.means, expected, atol=1e-7)  # gates are float32


def test_checkpoints_of_two_networks_are_refused(training, write_gates):
    write_gates(training / "iter_40.pth", {"backbone.bn1": [1.0]})
    with pytest.raises(UserError, match="iter_40.pth has other batch-instance norms than iter_10"):
        read_course(numbered_checkpoints(training))


def test_logged_gates_by_stage(tmp_path):
    lines = [
        {"step": step, "iter": step, "gate/mean": 0.5, "gate/at_1": 0.0, "gate/stem/at_1": 0.0}
        | {"gate/stem/mean": 1 - step / 10, "gate/layer1/mean": 0.5}
        for step in (1, 2)
    ]
    (tmp_path / "scalars.json").write_text("\n".join(map(json.dumps, lines)))
    course = read_logged_course(read_run_log(tmp_path))
    assert (course.names, course.at.tolist()) == (["stem", "layer1"], [1, 2])
    np.testing.assert_allclose(course.means, [[0.9, 0.8], [0.5, 0.5]], rtol=1e-12)
    (tmp_path / "scalars.json").write_text(json.dumps({"step": 1, "iter": 1, "loss": 2.0}))
    with pytest.raises(UserError, match="has logged no gates"):
        read_logged_course(read_run_log(tmp_path))
