"""YAML is data wherever MMEngine reads it."""

import pytest
import yaml
from helpers.tools import run_python
from mmengine.config import Config

from mmreid_ext.config_files import never_call_from_yaml, read_config_file
from mmreid_ext.config_files.yaml_data import CodeInDataError, DataYamlHandler
from mmreid_ext.errors import UserError

CALL = "a: !!python/object/apply:pathlib.Path.touch [PATH]\n"


def test_whoever_imports_the_package_reads_data(tmp_path):
    file = tmp_path / "x.yml"
    file.write_text(CALL.replace("PATH", str(tmp_path / "ran")))
    code = (
        "import mmreid_ext.registry\nfrom mmengine.config import Config\n"
        f"try: Config.fromfile({str(file)!r})\nexcept ValueError as error: print(error)"
    )
    assert "asks for !!python/object/apply" in run_python(code).stdout
    assert not (tmp_path / "ran").exists()


def test_tags_of_data_are_data(tmp_path):
    (tmp_path / "x.yml").write_text(
        "a: !!python/tuple [1, [2]]\nb: !!python/str text\nc: !!python/int 3\n"
        "d: !!python/list [1]\ne: !!python/dict {f: 1}\ng: !!python/bool yes\nh: !!python/none ''\n"
    )
    cfg = read_config_file(tmp_path / "x.yml")
    assert cfg.a == (1, [2]) and (cfg.b, cfg.c, cfg.d, cfg.e) == ("text", 3, [1], dict(f=1))
    assert cfg.g is True


def test_enabling_twice_changes_nothing(tmp_path):
    never_call_from_yaml()
    never_call_from_yaml()
    (tmp_path / "x.yml").write_text("a: 1\n")
    assert Config.fromfile(tmp_path / "x.yml").a == 1


def test_no_argument_brings_the_calls_back(tmp_path):
    (tmp_path / "x.yml").write_text(CALL.replace("PATH", str(tmp_path / "ran")))
    with (tmp_path / "x.yml").open() as file, pytest.raises(CodeInDataError, match="line 1 asks"):
        DataYamlHandler().load_from_fileobj(file, Loader=yaml.UnsafeLoader)
    assert not (tmp_path / "ran").exists()


def test_aliases_do_not_make_a_small_file_endless(tmp_path):
    rows = ["l0: &l0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    rows += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 9)]
    (tmp_path / "x.yml").write_text("\n".join(rows) + "\n")
    for read in (read_config_file, Config.fromfile):
        with pytest.raises(UserError, match="aliases make it longer than 200,000 entries"):
            read(tmp_path / "x.yml")
    (tmp_path / "x.yml").write_text("a: &a {b: 1}\nc: [*a, *a]\n")
    assert read_config_file(tmp_path / "x.yml").c == [dict(b=1), dict(b=1)]


@pytest.mark.parametrize("text", ["a: " + "[" * 200_000, "a: " + "{b: " * 300 + "1" + "}" * 300])
def test_depth_does_not_end_the_process(tmp_path, text):
    """PyYAML's C code ran out of stack."""
    (tmp_path / "x.yml").write_text(text)
    code = (
        "import sys\nfrom mmreid_ext.config_files import read_config_file\n"
        "read_config_file(sys.argv[1])"
    )
    found = run_python(code, tmp_path / "x.yml", timeout=120)
    assert "line 1 lies deeper than 100 levels" in found.stderr and found.returncode == 1
