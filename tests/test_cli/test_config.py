"""How the command lines read a configuration: options, keys that nobody reads, mistakes."""

import argparse

import pytest
from helpers.configuration_file import load

from mmreid_ext.cli.config import add_launch_arguments, check_folder, load_config
from mmreid_ext.errors import UserError


@pytest.mark.parametrize(
    "name, text",
    [
        ("a.py", "model = dict(\n"),
        ("a.py", "model = nothing\n"),
        ("a.py", "_base_ = 'gone.py'\n"),
        ("a.py", "_base_ = 'base.py'\nmodel = 3\nx = _base_.y\n"),
        ("a.py", "_base_ = ['base.py', 'base.py']\n"),
        ("a.py", "custom_imports = dict(imports=['no_such_module'], allow_failed_imports=False)"),
        ("a.py", "a = {{$NO_SUCH_VARIABLE}}\n"),
        ("a.json", '{"a": 1'),
        ("a.yaml", "a: [1\n"),
        ("a.txt", "a = 1"),
    ],
)
def test_files_that_cannot_be_read(path, name, text):
    file = path.with_name(name)
    file.write_text(text)
    with pytest.raises(UserError, match=f"{name} can't be read"):
        load(file)


@pytest.mark.parametrize("below", ["", "/logs"])
def test_a_file_is_no_work_folder(path, tmp_path, below):
    (tmp_path / "taken").write_text("x")
    with pytest.raises(UserError, match="--work-dir .*taken.* is a file, not a folder"):
        load(path, "--work-dir", f"{tmp_path}/taken{below}")


def parse(*arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("config")
    add_launch_arguments(parser)
    return parser.parse_args(arguments)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "metabin_r50.py").write_text("model = dict(head=dict(num_classes=3, names=[1]))\n")
    (tmp_path / "bn_r50.py").write_text("work_dir = 'here'\nrandomness = dict(seed=5)\n")
    return tmp_path


@pytest.mark.parametrize("name", ["metabin_r50.py", "metabin_r50"])
def test_configuration_by_file_or_by_name(folder, name):
    cfg = load_config(parse(str(folder / name)))
    assert cfg.model.head.num_classes == 3
    assert cfg.launcher == "none"
    assert cfg.work_dir.replace("\\", "/") == "work_dirs/metabin_r50"


def test_arguments_override_the_configuration(folder):
    arguments = ["--seed", "7", "--work-dir", "there", "--launcher", "pytorch", "--local-rank", "2"]
    args = parse(str(folder / "bn_r50.py"), *arguments)
    cfg = load_config(args)
    assert (cfg.randomness.seed, cfg.work_dir, cfg.launcher) == (7, "there", "pytorch")
    assert args.local_rank == 2
    cfg = load_config(parse(str(folder / "bn_r50.py")))
    assert (cfg.randomness.seed, cfg.work_dir) == (5, "here")


def test_cfg_options_reach_nested_keys_and_lists(folder):
    options = ["model.head.num_classes=9", "model.head.names=[a,b]", "train_cfg.new=True"]
    cfg = load_config(parse(str(folder / "metabin_r50.py"), "--cfg-options", *options))
    assert cfg.model.head == dict(num_classes=9, names=["a", "b"])
    assert cfg.train_cfg.new is True


def test_missing_configuration_lists_its_neighbours(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match="metabin_r5O.py.* has: bn_r50.py, metabin_r50.py"):
        load_config(parse(str(folder / "metabin_r5O")))
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load_config(parse(str(tmp_path / "nowhere" / "a.py")))


@pytest.mark.parametrize("folder", ["\ud800x", "a\0b", "\x1b[2J", 3, ["a"]])
def test_work_folders_of_strangers_are_names(folder):
    with pytest.raises(UserError, match="--work-dir .* is no name of a folder") as caught:
        check_folder("--work-dir", folder)
    assert str(caught.value).isprintable()


def test_names_in_another_encoding_stay(tmp_path):
    check_folder("--work-dir", str(tmp_path / "caf\udce9 ü"))
