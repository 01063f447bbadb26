"""The process group is started with the configuration's patience."""

from datetime import timedelta

import pytest
from mmengine.config import Config

from mmreid_ext.cli.nodes import joining
from mmreid_ext.cli.nodes.joining import timeout_of
from mmreid_ext.errors import UserError


def config(timeout):
    return Config(dict(env_cfg=dict(dist_cfg=dict(backend="nccl", timeout=timeout))))


def test_timeout_of_the_configuration():
    assert timeout_of(Config()) == timeout_of(config(None)) == timedelta(minutes=5)
    assert timeout_of(config(77)) == timeout_of(config(timedelta(seconds=77)))
    assert timeout_of(config(0.5)) == timedelta(milliseconds=500)


@pytest.mark.parametrize("value", ["5 minutes", 0, -1, True, float("nan"), timedelta(0), [3]])
def test_other_timeouts_are_refused(value):
    with pytest.raises(UserError, match=r"env_cfg\.dist_cfg\.timeout=.*positive number of seconds"):
        timeout_of(config(value))


def test_slurm_speaks_pytorch(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SLURM_PROCID", "3")
    monkeypatch.setenv("SLURM_NTASKS", "4")
    with pytest.raises(UserError, match="MASTER_ADDR is not set: .*slurm_train.sh"):
        joining.announce_slurm()
    monkeypatch.setenv("MASTER_ADDR", "node0")
    joining.announce_slurm()
    assert [joining.os.environ[n] for n in ("RANK", "WORLD_SIZE", "MASTER_PORT")] == [
        *("3", "4", "29500")
    ]


def test_one_machine_needs_no_interface(monkeypatch):
    monkeypatch.setattr(joining, "choose_interfaces", lambda master: "10.0.0.1")
    monkeypatch.setenv("MASTER_ADDR", "10.0.0.1")
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    assert joining._address_in_network() == "127.0.0.1"
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    assert joining._address_in_network() == "10.0.0.1"


def test_gpus_are_dealt_out_on_each_machine(monkeypatch):
    chosen = []
    monkeypatch.setattr(joining.torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(joining.torch.cuda, "set_device", chosen.append)
    monkeypatch.delenv("SLURM_LOCALID", raising=False)
    for rank in ("0", "1", "3"):
        monkeypatch.setenv("LOCAL_RANK", rank)
        joining.set_device()
    monkeypatch.delenv("LOCAL_RANK")
    monkeypatch.setenv("SLURM_LOCALID", "1")
    joining.set_device()
    assert chosen == [0, 1, 1, 1]
