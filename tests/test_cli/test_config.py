"""How the command lines read a configuration: options, keys that nobody reads, mistakes."""

import pytest
from helpers.configuration_file import load

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
