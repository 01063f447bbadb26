"""What `load_from` takes over, what only a resumed run loads, over all state of one run."""

import copy

import pytest
import torch
from helpers.tiny_reid import tiny_model, tiny_runner
from helpers.tiny_xbm import xbm_runner
from mmengine.runner import load_checkpoint

from mmreid_ext.checkpoint import fine_tuning
from mmreid_ext.compat import enable_safe_checkpoints
from mmreid_ext.models.losses import ArcMarginLinear, CenterLoss
from mmreid_ext.registry import MODELS

RUN = ("head.losses.xbm.", "backbone.layer1.MixStyle.")
IDENTITIES = ("head.classifier.", "head.losses.center.")


def model_with_all_state(memory_size=40, num_classes=16, same_identities=False):
    xbm = dict(
        type="mmreid_ext.CrossBatchMemory",
        loss=dict(type="mmreid_ext.ContrastiveLoss"),
        memory_size=memory_size,
        feat_dim=16,
        start_iter=0,
    )
    losses = dict(
        ce=dict(type="mmreid_ext.LabelSmoothingLoss"),
        center=dict(type="mmreid_ext.CenterLoss", num_classes=num_classes, feat_dim=16),
        xbm=xbm,
    )
    model = tiny_model("mmreid_ext.SyncBN", num_classes, losses)
    model["head"] |= dict(train_losses=None, same_identities=same_identities)
    return model | dict(stage_plugins=dict(layer1=dict(type="mmreid_ext.MixStyle")))


@pytest.fixture
def said(monkeypatch):
    enable_safe_checkpoints()
    texts = []
    monkeypatch.setattr(fine_tuning, "print_log", lambda text, **_: texts.append(text))
    return texts


@pytest.fixture
def checkpoint(tmp_path):
    """A file in which no entry is at its starting value, and its state dictionary."""
    enable_safe_checkpoints()
    torch.manual_seed(1)
    state = MODELS.build(model_with_all_state()).double().state_dict()
    for name, value in state.items():
        state[name] = torch.full_like(value, 3) + (torch.arange(value.numel()).view_as(value) % 7)
    torch.save(dict(state_dict=state, meta={}), tmp_path / "run.pth")
    return tmp_path / "run.pth", state


def runner_from(tmp_path, path, **model):
    runner = tiny_runner(tmp_path, model=model_with_all_state(**model), load_from=str(path))
    before = copy.deepcopy(runner.model.state_dict())
    runner.load_or_resume()
    return runner.model, before


@pytest.mark.parametrize("changed", [{}, dict(memory_size=64), dict(num_classes=20)])
def test_load_from_leaves_state_of_a_run_and_its_identities(tmp_path, checkpoint, said, changed):
    path, state = checkpoint
    model, before = runner_from(tmp_path, path, **changed)
    for name, value in model.state_dict().items():
        left_out = name.startswith(RUN + IDENTITIES)
        assert torch.equal(value, (before if left_out else state)[name]), name
    memory = model.head.losses["xbm"]
    assert (memory._fill, memory._steps, model.backbone.layer1.MixStyle._steps) == (0, 0, 0)
    (text,) = said
    assert "MixStyle.steps" in text and "same_identities=True" in text


def test_the_same_identities_keep_classifier_and_centres_but_no_memory(tmp_path, checkpoint, said):
    path, state = checkpoint
    model, before = runner_from(tmp_path, path, same_identities=True)
    for name, value in model.state_dict().items():
        assert torch.equal(value, (before if name.startswith(RUN) else state)[name]), name
    with pytest.raises(ValueError, match="same_identities=True, but head.classifier.weight"):
        runner_from(tmp_path, path, same_identities=True, num_classes=20)


def test_a_pretrained_model_is_one_to_start_from(checkpoint, said):
    path, state = checkpoint
    cfg = model_with_all_state() | dict(init_cfg=dict(type="Pretrained", checkpoint=str(path)))
    model = MODELS.build(cfg).double()
    before = copy.deepcopy(model.state_dict())
    model.init_weights()
    classifier = "head.classifier.weight"
    assert torch.equal(model.state_dict()[classifier], before[classifier])
    assert torch.equal(model.backbone.conv1.weight, state["backbone.conv1.weight"])
    assert model.head.losses["xbm"].fill == 0 and said


def test_plain_loading_loads_all_that_fits(checkpoint, said):
    path, state = checkpoint
    model = MODELS.build(model_with_all_state()).double()
    load_checkpoint(model, str(path))
    for name, value in model.state_dict().items():
        assert torch.equal(value, state[name]), name
    assert model.head.losses["xbm"]._fill == state["head.losses.xbm.fill"]
    assert not said


def test_a_memory_of_another_size_is_refused_whole(checkpoint):
    path, state = checkpoint
    memory = MODELS.build(model_with_all_state(memory_size=64)).head.losses["xbm"]
    prefix = "head.losses.xbm."
    own = {n.removeprefix(prefix): v for n, v in state.items() if n.startswith(prefix)}
    with pytest.raises(ValueError, match="memory_size=64, .* has 40 rows of 16"):
        memory.load_state_dict(own, strict=False)
    assert (memory._fill, int(memory.fill), memory._steps) == (0, 0, 0)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (dict(memory_size=64), r"memory_feats has shape \(40, 16\) instead of \(64, 16\)"),
        (dict(num_classes=20), r"head.classifier.weight has shape \(16, 16\)"),
    ],
)
def test_resume_loads_everything_or_refuses(tmp_path, said, changed, message):
    def runner(**kwargs):
        model = kwargs.pop("model", model_with_all_state())
        loader = dict(
            batch_size=16,
            num_workers=0,
            collate_fn=dict(type="default_collate"),
            sampler=dict(type="mmreid_ext.PKSampler", batch_size=16, num_instances=2),
            dataset=dict(type="mmreid_ext.TinyReID"),
        )
        return tiny_runner(
            tmp_path,
            model=model,
            train_dataloader=loader,
            train_cfg=dict(type="mmreid_ext.ReIDTrainLoop", max_iters=1),
            **kwargs,
        )

    first = runner()
    first.train()
    path = str(tmp_path / "iter_1.pth")
    resumed = runner(resume=True, load_from=path)
    resumed.resume(path)
    for name, value in first.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name
    assert int(resumed.model.head.losses["xbm"].fill) == 16 and not said
    other = runner(model=model_with_all_state(**changed), resume=True, load_from=path)
    with pytest.raises(ValueError, match=message):
        other.resume(path)


@pytest.mark.parametrize("hook", ["mmengine.EMAHook", "mmpretrain.EMAHook"])
def test_averaged_weights_go_into_another_number_of_classes(tmp_path, said, hook):
    def train(folder, model, **changes):
        runner = tiny_runner(
            tmp_path / folder,
            model=model,
            max_iters=1,
            custom_hooks=[dict(type=hook, momentum=0.5)],
            **changes,
        )
        runner.load_checkpoint = spy(runner, runner.load_checkpoint)
        runner.train()
        return runner

    loaded = []

    def spy(runner, load):
        def call(*args, **kwargs):
            result = load(*args, **kwargs)
            loaded.append(copy.deepcopy(runner.model.state_dict()))
            return result

        return call

    train("first", tiny_model())
    state = torch.load(tmp_path / "first" / "iter_1.pth", weights_only=True)["state_dict"]
    train(
        "second",
        tiny_model(num_classes=20),
        dataset="mmreid_ext.TinyReID5",
        load_from=str(tmp_path / "first" / "iter_1.pth"),
    )
    assert said == said[:1] and "head.classifier.weight" in said[0]
    for name, value in loaded[0].items():
        if name != "head.classifier.weight":
            assert torch.equal(value, state[name]), name


def test_evaluation_loads_all_that_fits(tmp_path, said):
    runner, _ = xbm_runner(tmp_path / "a")
    torch.save(dict(state_dict=filled(runner.model), meta={}), tmp_path / "a.pth")
    tested, _ = xbm_runner(tmp_path / "b", load_from=str(tmp_path / "a.pth"))
    tested.val()
    assert torch.equal(tested.model.head.losses["xbm"].memory_feats[0], torch.full((8,), 3.0))
    assert not said


@pytest.mark.parametrize("nested", [True, False])
def test_evaluation_does_not_mind_a_memory_of_another_size(checkpoint, nested):
    _, state = checkpoint
    model = MODELS.build(model_with_all_state(memory_size=64)).double()
    file = dict(state_dict=state, meta={}) if nested else state
    fitted = fine_tuning.fit_checkpoint(file, "evaluate", model)
    model.load_state_dict(fitted["state_dict"] if nested else fitted)
    memory = model.head.losses["xbm"]
    assert (memory._fill, memory._steps, int(memory.fill)) == (0, 0, 0)
    assert torch.equal(model.head.classifier.weight, state["head.classifier.weight"])


def filled(model):
    return {name: torch.full_like(value, 3) for name, value in model.state_dict().items()}


def test_rows_of_identities_are_known_wherever_a_model_keeps_them():
    model = torch.nn.ModuleDict(
        dict(
            margin=ArcMarginLinear(in_features=4, num_classes=3),
            center=CenterLoss(num_classes=3, feat_dim=4),
            inner=torch.nn.Sequential(ArcMarginLinear(in_features=4, num_classes=3)),
            plain=torch.nn.Linear(4, 3),
        )
    )
    always, numbered = fine_tuning.foreign_entries(model)
    assert not always
    assert numbered == {"margin.weight", "inner.0.weight", "center.centers", "center.factor"}
