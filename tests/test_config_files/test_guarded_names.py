"""Registries import no module that a file of data names."""

import sys

import pytest
from helpers.tools import run_python
from mmengine.registry import MODELS, OPTIMIZERS

from mmreid_ext.config_files.guarded_names import guard_registries, never_import


def test_a_bare_name_is_no_module(tmp_path, monkeypatch):
    (tmp_path / "ResNetX.py").write_text("raise SystemExit('ran')")
    monkeypatch.syspath_prepend(tmp_path)
    guard_registries()
    assert OPTIMIZERS.get("ResNetX") is None and "ResNetX" not in sys.modules
    code = "from mmengine.registry import OPTIMIZERS\nOPTIMIZERS.get('ResNetX')"
    assert run_python(code, cwd=tmp_path, timeout=120).stderr.strip() == "ran"


def test_noted_names_are_not_imported(tmp_path, monkeypatch):
    (tmp_path / "evil_net").mkdir()
    (tmp_path / "evil_net" / "registry.py").write_text("raise SystemExit('ran')")
    monkeypatch.syspath_prepend(tmp_path)
    guard_registries()
    never_import(["evil_net.Net", "mmengine.runner.save_checkpoint"])
    with pytest.raises(RuntimeError, match="Failed to get evil_net.Net"):
        MODELS.get("evil_net.Net")
    assert MODELS.get("mmengine.runner.save_checkpoint") is None
    assert not {"evil_net", "evil_net.registry"} & set(sys.modules)


def test_full_names_of_code_are_found_as_before():
    guard_registries()
    guard_registries()
    assert MODELS.get("torch.nn.Flatten").__name__ == "Flatten"
    assert OPTIMIZERS.get("SGD").__name__ == "SGD"
