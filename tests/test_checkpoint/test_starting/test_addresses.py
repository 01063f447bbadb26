"""Weights that are not there are said before anything is built."""

import time

import pytest

from mmreid_ext.checkpoint.starting import addresses, missing_weights, provide_weights
from mmreid_ext.errors import MissingFileError, UserError


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    return tmp_path / "hub" / "checkpoints"


def starting_from(address, **more):
    init = dict(type="Pretrained", checkpoint=address)
    return dict(model=dict(backbone=dict(type="ResNet", init_cfg=init)), **more)


@pytest.mark.parametrize(
    "address, name",
    [
        ("https://example.org/r50.pth?x=1", "r50.pth"),
        ("torchvision://resnet50", "resnet50-"),
        ("modelzoo://resnet50", "resnet50-"),
        ("open-mmlab://resnet50_v1c", "resnet50_v1c-"),
        ("openmmlab://resnet50_v1c", "resnet50_v1c-"),
        ("mmcls://resnet18", "resnet18"),
    ],
)
def test_an_address_has_a_place_in_the_cache(cache, address, name):
    (weights,) = missing_weights(starting_from(address))
    assert weights.url.startswith("http") and weights.path.parent == cache
    assert weights.path.name.startswith(name)
    assert weights.setting == "model.backbone.init_cfg.checkpoint"
    cache.mkdir(parents=True)
    weights.path.write_bytes(b"")
    assert missing_weights(starting_from(address)) == []


def test_nothing_is_missing():
    assert missing_weights({}) == missing_weights(dict(model=dict(backbone=dict()))) == []
    kaiming = dict(model=dict(backbone=dict(init_cfg=[dict(type="Kaiming", layer="Conv2d")])))
    assert missing_weights(kaiming) == missing_weights(starting_from("s3://bucket/a.pth")) == []
    assert missing_weights(dict(load_from="no.pth", resume=True)) == []
    assert missing_weights(starting_from(__file__)) == []


def test_a_name_that_a_collection_lacks():
    with pytest.raises(UserError, match="torchvision:// has no 'resnet5'.*resnet50"):
        missing_weights(starting_from("torchvision://resnet5"))


def test_a_file_that_is_not_there():
    with pytest.raises(MissingFileError, match=r"init_cfg\.checkpoint='no\.pth': no such file"):
        provide_weights(starting_from("no.pth"))
    with pytest.raises(
        MissingFileError, match=r"load_from='no\.pth': no such file; name one that is there.$"
    ):
        provide_weights(dict(load_from="no.pth"))


def test_a_file_that_a_tool_of_ours_gets(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        MissingFileError,
        match="no such file; get it by `python tools/get_imagenet_mobilenetv2.py`, or start from "
        r"random weights by model\.backbone\.init_cfg=None\.$",
    ):
        provide_weights(starting_from("weights/mobilenetv2_imagenet.pth"))


def test_without_network_it_takes_a_second(cache, monkeypatch):
    def slow(*_, **__):
        time.sleep(8)
        raise OSError("later")

    monkeypatch.setattr("socket.create_connection", slow)
    start = time.monotonic()
    with pytest.raises(UserError) as caught:
        provide_weights(starting_from("https://example.org/r50.pth"))
    assert time.monotonic() - start < 3 * addresses.PATIENCE
    for part in (
        f"Put it at {cache}/r50.pth",
        "--cfg-options model.backbone.init_cfg=None",
        "--init-weights FILE",
    ):
        assert part in str(caught.value)


def test_it_is_downloaded_once_per_machine(cache, monkeypatch):
    calls = []
    monkeypatch.setattr(addresses, "download", lambda url, path, patience: calls.append(path))
    monkeypatch.setenv("LOCAL_RANK", "1")
    provide_weights(starting_from("https://example.org/r50.pth"))
    assert not calls
    monkeypatch.setenv("LOCAL_RANK", "0")
    provide_weights(starting_from("https://example.org/r50.pth"))
    assert calls == [cache / "r50.pth"]
