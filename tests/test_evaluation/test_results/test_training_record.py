import pytest
from mmengine.config import Config

from mmreid_ext.evaluation.results.training_record import flat_config, parse_config, training_record

TEXT = """
optim_wrapper = dict(optimizer=dict(type='Adam', lr=0.1), clip_grad=None)
param_scheduler = [dict(type='LinearLR', begin=-1, end=1.5), dict(type='Cosine')]
randomness = dict(seed=3)
work_dir = '/home/me/w'
data = dict(data_root='/home/me/data/market', ranks=(1, 5), names={'a-b': True})
model = dict(type=mmreid_ext.models.ReIDModel)
"""


def test_record_of_a_checkpoint():
    record = training_record(dict(seed=3, iter=20, epoch=0, cfg=TEXT))
    assert (record["seed"], record["iter"], record["epoch"]) == (3, 20, 0)
    assert record["config"] == {
        "optim_wrapper.optimizer.type": "Adam",
        "optim_wrapper.optimizer.lr": 0.1,
        "optim_wrapper.clip_grad": None,
        "param_scheduler.0.type": "LinearLR",
        "param_scheduler.0.begin": -1,
        "param_scheduler.0.end": 1.5,
        "param_scheduler.1.type": "Cosine",
        "data.data_root": ".../market",
        "data.ranks": [1, 5],
        "data.names.a-b": True,
        "model.type": "mmreid_ext.models.ReIDModel",
    }
    moved = TEXT.replace("/home/me", "/other").replace("seed=3", "seed=4")
    assert training_record(dict(cfg=moved))["fingerprint"] == record["fingerprint"]
    other = TEXT.replace("lr=0.1", "lr=0.2")
    assert training_record(dict(cfg=other))["fingerprint"] != record["fingerprint"]


def test_a_resumed_run_is_the_training_that_was_begun():
    """Whatever file it went on from; a run that began from other weights is another one."""
    begun = training_record(dict(cfg="load_from = 'w.pth'\nresume = False"))
    for text in ("load_from = None", "load_from = 'work/iter_5.pth'"):
        resumed = dict(cfg=f"{text}\nresume = True\nbegun_from = 'w.pth'")
        assert training_record(resumed) == begun | dict(seed=None)
    other = training_record(dict(cfg="load_from = None\nresume = True\nbegun_from = 'v.pth'"))
    assert other["fingerprint"] != begun["fingerprint"]


@pytest.mark.parametrize(
    "meta", [None, {}, dict(seed="7", cfg=3), dict(cfg="def ("), dict(seed=True)]
)
def test_what_is_not_there(meta):
    record = training_record(meta)
    assert record["seed"] is None and record["fingerprint"] is None and not record["config"]


def test_nothing_is_executed():
    text = "a = __import__('os').system('false')\nb = [1, open('x')]\nopen('y', 'w')"
    assert parse_config(text) == {"a": "__import__('os').system('false')", "b": [1, "open('x')"]}


def test_text_of_a_configuration_is_read_back_as_it_was():
    """MMEngine's own writer, whatever the types of its values."""
    settings = dict(a=dict(b=[1, dict(c=(1, 2))], d=None), e=1e-7, f="x'y", g=float("inf"), h={})
    cfg = Config(settings)
    found = flat_config(parse_config(cfg.pretty_text))
    assert {k: str(v) for k, v in found.items()} == {
        k: str(v) for k, v in flat_config(cfg.to_dict()).items()
    }


def test_what_does_not_change_the_outcome_is_left_out():
    loader = dict(batch_size=16, num_workers=4, persistent_workers=True)
    assert flat_config(dict(train_dataloader=loader, launcher="pytorch", log_level="INFO")) == {
        "train_dataloader.batch_size": 16
    }
