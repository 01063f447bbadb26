"""A result file that can't be written stops a tool before its work."""

import os
import sys

import pytest
from helpers.tools import load_tool

from mmreid_ext.output_files import plain_file_name, require_writable


def bad_paths(tmp_path):
    (tmp_path / "file").write_text("x")
    return {
        "a folder": tmp_path,
        "below a file": tmp_path / "file" / "r.json",
        "far below a file": tmp_path / "file" / "a" / "r.json",
        "a name too long": tmp_path / ("n" * 300 + ".json"),
    }


KINDS = ["a folder", "below a file", "far below a file", "a name too long"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_can_not_be_written_is_refused(kind, tmp_path):
    path = bad_paths(tmp_path)[kind]
    with pytest.raises(ValueError, match="--out=.*can't be written.*give another path"):
        require_writable(path, "--out")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_refused(tmp_path):
    tmp_path.chmod(0o555)
    with pytest.raises(ValueError, match="can't be written"):
        require_writable(tmp_path / "r.json", "--out")
    tmp_path.chmod(0o755)


@pytest.mark.parametrize("path", ["\ud800.json", "a\0b.json", "\x1b[2J.json", 3, ""])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(ValueError, match="must be the path of a file") as caught:
        require_writable(path, "--out")
    assert str(caught.value).isprintable()


def test_nothing_is_left_behind(tmp_path):
    require_writable(None, "--out")
    require_writable(tmp_path / "new" / "folder" / "r.json", "--out")
    old = tmp_path / "old.json"
    old.write_text("x")
    require_writable(old, "--out")
    assert [p.name for p in tmp_path.iterdir()] == ["old.json"] and old.read_text() == "x"


TOOLS = {
    "evaluate": ["none.npz", "--out"],
    "plot_embeddings": ["none.npz", "--out"],
    "visualize_ranks": ["none.npz", "--out-dir"],
    "export_ranks": ["none.npz", "--out"],
    "compare": ["none.json", "none2.json", "--out"],
    "test": ["none.py", "none.pth", "--out"],
}


@pytest.mark.parametrize("name", TOOLS)
def test_tools_try_their_file_first(name, tmp_path, monkeypatch):
    """The inputs don't exist either, so what is named was looked at first."""
    module = load_tool(name)
    path = bad_paths(tmp_path)["below a file"]
    monkeypatch.setattr(sys, "argv", [name, *TOOLS[name], str(path)])
    with pytest.raises(ValueError, match="can't be written"):
        module.run(module.parse_args())


@pytest.mark.parametrize(
    "text, name",
    [
        ("market1501 (2)", "market1501 (2)"),
        ("..", "_."),
        ("", "_"),
        ("../../etc/x", "_./.._etc_x".replace("/", "_")),
        ("a/b\\c", "a_b_c"),
        ("ü\x1b[31m\n", "ü_[31m_"),
        ("x" * 300, "x" * 120),
        ("ü" * 300, "ü" * 60),
        (" . ", "_"),
    ],
)
def test_a_strangers_text_becomes_the_name_of_one_file(text, name, tmp_path):
    assert plain_file_name(text) == name
    (tmp_path / name).touch()
    assert [path.name for path in tmp_path.iterdir()] == [name]
