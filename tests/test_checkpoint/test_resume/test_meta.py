"""What a checkpoint says about its run is data of the expected kind, or the run doesn't start."""

import copy

import pytest
import torch
from helpers.hostile_checkpoint import changed_checkpoint
from helpers.interrupted_run import AT, resume
from mmengine.config import Config
from mmengine.infer import BaseInferencer
from mmengine.logging import HistoryBuffer
from mmengine.runner import load_checkpoint
from mmengine.runner.checkpoint import _load_checkpoint

from mmreid_ext.checkpoint.resume.meta import for_mmengine, without_code
from mmreid_ext.checkpoint.resume.run_record import KEY
from mmreid_ext.errors import UserError

INFO = ("message_hub", "runtime_info")

REFUSED = {
    "iter as text": (("meta", "iter"), "12", r"meta\.iter='12', must be a whole number"),
    "half an iteration": (("meta", "iter"), 2.5, r"meta\.iter=2\.5"),
    "iter without end": (("meta", "iter"), 2**62, "written after iteration 4611686018427387904"),
    "iter beyond integers": (("meta", "iter"), 10**300, r"meta\.iter=an integer of 997 bits"),
    "negative iter": (("meta", "iter"), -3, r"meta\.iter=-3"),
    "iter as a truth value": (("meta", "iter"), True, r"meta\.iter=True"),
    "iter of none": (("meta", "iter"), None, r"meta\.iter=None"),
    "epoch as text": (("meta", "epoch"), "1", r"meta\.epoch='1'"),
    "half an epoch": (("meta", "epoch"), 0.5, r"meta\.epoch=0\.5"),
    "epoch without end": (("meta", "epoch"), 2**62, r"meta\.epoch=4611686018427387904 after"),
    "negative epoch": (("meta", "epoch"), -1, r"meta\.epoch=-1"),
    "epoch as a truth value": (("meta", "epoch"), False, r"meta\.epoch=False"),
    "no meta": (("meta",), None, r"meta=None, must be a dictionary"),
    "a list for meta": (("meta",), [], r"meta=\[\]"),
    "seed as text": (("meta", "seed"), "x", r"meta\.seed='x'"),
    "seed too large": (("meta", "seed"), 2**40, r"meta\.seed=1099511627776"),
    "deep dataset_meta": (
        ("meta", "dataset_meta"),
        eval("[" * 50 + "]" * 50),
        r"meta\.dataset_meta=\(list\)",
    ),
    "no record": (("meta", KEY), 3, rf"meta\.{KEY}=3"),
    "an empty record": (("meta", KEY), {}, rf"meta\.{KEY}\.decides=None"),
    "no settings in the record": (("meta", KEY, "decides"), 3, r"decides=3"),
    "validated as text": (("meta", KEY, "validated"), "x", r"validated='x', must be True or"),
    "no hub": (("message_hub",), None, "message_hub=None"),
    "a list for the hub": (("message_hub",), [], r"message_hub=\[\]"),
    "an empty hub": (("message_hub",), {}, r"message_hub\.log_scalars=None"),
    "no info": (INFO, None, r"message_hub\.runtime_info=None"),
    "a best score of text": ((*INFO, "best_score"), "high", r"best_score='high', must be a number"),
    "a best file of numbers": ((*INFO, "best_ckpt_score"), 3, r"best_ckpt_score=3"),
    "ids of text": ((*INFO, "keep_ckpt_ids"), ["../../x"], r"keep_ckpt_ids=\(list\)"),
    "time left as text": ((*INFO, "eta"), "soon", r"eta='soon'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_value_that_no_run_writes_is_refused_in_one_sentence(tmp_path, folder, name):
    path, value, message = REFUSED[name]
    file = changed_checkpoint(folder / f"iter_{AT}.pth", tmp_path / "x.pth", *path, value=value)
    with pytest.raises(UserError, match=message) as error:
        resume(tmp_path / "run", file)
    assert "\n" not in str(error.value) and str(file) in str(error.value)


@pytest.mark.parametrize("suffix", ["", ".other"])
def test_no_text_of_a_checkpoint_is_executed(tmp_path, folder, suffix):
    text = f"open({str(tmp_path / 'ran')!r}, 'w').close()\ngpu_ids = [0, 1]"
    file = changed_checkpoint(
        folder / f"iter_{AT}.pth", tmp_path / "x.pth", "meta", f"config{suffix}", value=text
    )
    assert resume(tmp_path / "run", file).iter == 5
    assert not (tmp_path / "ran").exists()
    assert "config" not in _load_checkpoint(str(file))["meta"]


def test_mmengine_never_builds_a_configuration_from_a_checkpoint(tmp_path, folder, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a text of the checkpoint became code")

    monkeypatch.setattr(Config, "fromstring", refuse)
    file = folder / f"iter_{AT}.pth"
    for name in ("config", "cfg"):
        file = changed_checkpoint(file, tmp_path / f"{name}.pth", "meta", name, value="a = 1")
    assert resume(tmp_path / "run", file).iter == 5


def test_hooks_see_what_they_wrote_and_mmengine_what_it_needs():
    meta = dict(iter=3, epoch=0, seed=1, dataset_meta={}, mine=4, config="a = 1")
    checkpoint = without_code(dict(meta=meta, state_dict={}))
    assert checkpoint["meta"]["mine"] == 4 and "config" not in checkpoint["meta"]
    assert for_mmengine(checkpoint)["meta"] == dict(iter=3, epoch=0, seed=1, dataset_meta={})
    for other in (None, [], dict(meta=None), dict(meta=3)):
        assert without_code(other) == other


@pytest.mark.parametrize("value", [3, "x", dict(a=1)])
def test_what_is_no_history_of_values_is_left_out(tmp_path, folder, value):
    path = ("message_hub", "log_scalars", "train/odd")
    file = changed_checkpoint(folder / f"iter_{AT}.pth", tmp_path / "x.pth", *path, value=value)
    runner = resume(tmp_path / "run", file)
    assert runner.iter == 5 and "train/odd" not in runner.message_hub.log_scalars


def test_a_history_that_would_never_end_or_has_two_lengths_is_left_out(tmp_path, folder):
    longer = HistoryBuffer([1.0], [1])
    longer._count_history = longer._count_history.repeat(3)
    endless = HistoryBuffer([1.0], [1])
    endless.max_length = -1
    for value in (longer, endless):
        path = ("message_hub", "log_scalars", "train/odd")
        file = changed_checkpoint(folder / f"iter_{AT}.pth", tmp_path / "x.pth", *path, value=value)
        assert "train/odd" not in resume(tmp_path / "run", file).message_hub.log_scalars


def test_flags_that_would_stop_the_first_step_are_corrected(tmp_path, folder):
    path = ("message_hub", "resumed_keys", "train/loss")
    file = changed_checkpoint(folder / f"iter_{AT}.pth", tmp_path / "x.pth", *path, value=False)
    assert resume(tmp_path / "run", file).message_hub._resumed_keys["train/loss"] is True


@pytest.mark.parametrize("state", [[], 3, {1: 2}])
def test_a_state_dict_of_something_else_is_refused(tmp_path, folder, state):
    file = changed_checkpoint(
        folder / f"iter_{AT}.pth", tmp_path / "x.pth", "state_dict", value=state
    )
    with pytest.raises(UserError, match=r"state_dict (is a|has keys)"):
        resume(tmp_path / "run", file)


def test_plain_loading_sees_no_code_either(tmp_path, folder):
    from helpers.tiny_loops import TinyNet

    path = ("meta", "config")
    file = changed_checkpoint(folder / f"iter_{AT}.pth", tmp_path / "x.pth", *path, value="a")
    assert "config" not in load_checkpoint(TinyNet(), str(file))["meta"]


PLAIN = "model = dict(type='mmreid_ext.ReIDModel', backbone=dict(type='ResNet'))\na = [1]\n"
CODE = {
    "a call": "import os\n" + PLAIN + "os.system('id')\n",
    "a value that is a call": PLAIN + "b = open('x')\n",
    "a type": PLAIN.replace("'ResNet'", "'os.system'"),
    "a module": PLAIN + "custom_imports = dict(imports=['evil'])\n",
    "what MMEngine replaces": PLAIN + "b = '{{ $MMREID_NONE:x }}'\n",
    "no text": 3,
}


def test_plain_texts_of_configurations_stay():
    checkpoint = dict(meta=dict(cfg=PLAIN), message_hub=dict(runtime_info=dict(cfg=PLAIN)))
    assert without_code(copy.deepcopy(checkpoint)) == checkpoint


@pytest.mark.parametrize("name", CODE)
def test_mmengines_inferencer_gets_no_code(tmp_path, name):
    for place in ("meta", "message_hub"):
        meta = dict(cfg=CODE[name]) if place == "meta" else {}
        hub = dict(runtime_info=dict(cfg=CODE[name])) if place == "message_hub" else {}
        torch.save(dict(state_dict={}, meta=meta, message_hub=hub), tmp_path / "w.pth")
        with pytest.raises((ValueError, AssertionError), match="config"):
            BaseInferencer._init_model(None, Config(), str(tmp_path / "w.pth"))
