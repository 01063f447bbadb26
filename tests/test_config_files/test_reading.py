"""A configuration of data runs nothing, whoever wrote it."""

import sys
import types
from pathlib import Path

import mmpretrain
import pytest
from helpers.paths import ROOT
from mmengine.config import Config

from mmreid_ext.apis.configuration import as_config
from mmreid_ext.cli.config import read_config
from mmreid_ext.config_files import read_config_file
from mmreid_ext.errors import UserError

CALLS = {
    "apply": "!!python/object/apply:pathlib.Path.touch [PATH]",
    "apply of a class": "!!python/object/apply:builtins.open [PATH, w]",
    "new": "!!python/object/new:os.system [touch PATH]",
    "object": "!!python/object:argparse.Namespace {a: 1}",
    "name": "!!python/name:os.system",
    "module": "!!python/module:antigravity",
    "written out": "!<tag:yaml.org,2002:python/object/apply:os.system> [touch PATH]",
}


@pytest.mark.parametrize("read", [read_config, as_config, read_config_file])
@pytest.mark.parametrize("based", [False, True])
@pytest.mark.parametrize("suffix", ["yml", "yaml"])
@pytest.mark.parametrize("name", CALLS)
def test_no_call_is_made(tmp_path, name, suffix, based, read):
    text = "a: 1\nmodel: " + CALLS[name].replace("PATH", str(tmp_path / "ran")) + "\n"
    file = tmp_path / f"x.{suffix}"
    file.write_text(text)
    if based:
        file = tmp_path / "y.yml"
        file.write_text(f"_base_: x.{suffix}\n")
    with pytest.raises(UserError, match=r"can't be read: line 2 asks for !!python/") as error:
        read(file)
    assert "\n" not in str(error.value) and file.name in str(error.value)
    assert not (tmp_path / "ran").exists() and "antigravity" not in sys.modules


def test_what_mmengine_writes_can_be_read(tmp_path):
    cfg = Config(dict(a=(1, 2), b=dict(c=[1.5, None, True, "text"], d=-3), e=[dict(f=())]))
    for name in ("x.yml", "x.yaml", "x.json", "x.py"):
        cfg.dump(tmp_path / name)
    for name in ("x.yml", "x.yaml", "x.py"):
        assert read_config_file(tmp_path / name).to_dict() == cfg.to_dict()
    assert read_config_file(tmp_path / "x.json").b == cfg.b


def test_chains_and_placeholders_lead_from_data_to_other_files(tmp_path, monkeypatch):
    monkeypatch.setenv("MMREID_RATE", "0.5")
    (tmp_path / "base.yml").write_text("size: 12\nmodel: {type: A, depth: 18}\n")
    (tmp_path / "more.json").write_text('{"more": [1, 2]}')
    (tmp_path / "x.yml").write_text(
        "_base_: [base.yml, more.json]\nmodel: {depth: 50}\nname: '{{ fileBasenameNoExtension }}'\n"
        "size2: '{{ _base_.size }}'\nrate: {{ $MMREID_RATE:1 }}\n"
    )
    cfg = read_config_file(tmp_path / "x.yml")
    assert cfg.model == dict(type="A", depth=50) and (cfg.size, cfg.more) == (12, [1, 2])
    assert (cfg.name, cfg.rate) == ("x", 0.5)


BASES = {
    "beside it": "base.py",
    "absolute": "TMP/base.py",
    "by a placeholder": "'{{ fileDirname }}/base.py'",
    "behind another": "more.yml",
    "out of a package": "mmpretrain::../../../../../../../../../../TMP/base.py",
    "a link": "link.py",
}


@pytest.mark.parametrize("name", BASES)
def test_data_are_based_on_no_code(tmp_path, name):
    (tmp_path / "base.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    (tmp_path / "link.py").symlink_to(tmp_path / "base.py")
    (tmp_path / "more.yml").write_text("_base_: base.py\n")
    (tmp_path / "x.yml").write_text(f"_base_: {BASES[name].replace('TMP', str(tmp_path))}\n")
    for read in (read_config, as_config):
        with pytest.raises(UserError, match=r"x\.yml can't be read") as error:
            read(tmp_path / "x.yml")
        assert "\n" not in str(error.value)
    assert not (tmp_path / "ran").exists()
    code = tmp_path / "mine.py"  # whoever writes code may base it on anything
    code.write_text("_base_ = ['base.py']\n")
    read_config_file(code)
    assert (tmp_path / "ran").exists()


def test_data_may_be_based_on_known_configurations(tmp_path):
    ours = ROOT / "configs" / "strong_baseline_r18_market150.py"
    (tmp_path / "x.yml").write_text(f"_base_: {ours}\nrandomness: {{seed: 7}}\n")
    cfg = read_config_file(tmp_path / "x.yml")
    assert cfg.randomness.seed == 7 and cfg.model.type == "mmreid_ext.ReIDModel"
    theirs = Path(mmpretrain.__file__).parent / ".mim/configs/_base_/models/resnet18.py"
    (tmp_path / "x.json").write_text(f'{{"_base_": "{theirs}", "work_dir": "w"}}')
    assert read_config_file(tmp_path / "x.json").model.backbone.depth == 18


MODULES = ["imports: evil", "imports: [mmreid_ext, evil]", "[evil]", "{imports: [3]}", "evil"]


@pytest.mark.parametrize("wanted", MODULES)
def test_data_import_no_module_of_a_stranger(tmp_path, wanted):
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    wanted = wanted if wanted[0] in "[{" or ":" not in wanted else f"{{{wanted}}}"
    (tmp_path / "x.yml").write_text(f"a: 1\ncustom_imports: {wanted}\n")
    with pytest.raises(UserError, match="custom_imports: .* would be executed"):
        read_config(tmp_path / "x.yml")
    assert not (tmp_path / "ran").exists() and "evil" not in sys.modules


def test_data_import_known_modules_and_imported_ones(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "my_rules", types.ModuleType("my_rules"))
    (tmp_path / "x.yml").write_text(
        "custom_imports: {imports: [mmreid_ext, mmpretrain.models, my_rules]}\n"
    )
    assert "my_rules" in read_config_file(tmp_path / "x.yml").custom_imports.imports


@pytest.mark.parametrize("text", ["[1, 2]", "3", "a: [", "&a [*a]"])
def test_what_is_no_configuration_is_refused_in_one_line(tmp_path, text):
    (tmp_path / "x.yml").write_text(text)
    for read in (read_config, as_config):
        with pytest.raises(UserError, match=r"x\.yml can't be read") as error:
            read(tmp_path / "x.yml")
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["mine.py", "mine.json"])
def test_a_misspelt_key_of_the_imports_gets_a_hint(tmp_path, name):
    text = '{"custom_imports": {"impports": ["mmreid_ext"]}}'
    path = tmp_path / name
    path.write_text(text if name.endswith(".json") else "custom_imports = " + text[19:-1])
    with pytest.raises(UserError, match=r"takes no 'impports' \(did you mean 'imports'\?\); it ta"):
        read_config_file(path)
