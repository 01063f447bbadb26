"""tools/check_dataset.py: what it prints and writes, and its exit codes."""

import json

import pytest
from helpers.drawn_shop import Shop
from helpers.tools import run_tool


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path / "shop")


@pytest.fixture
def check(monkeypatch, capsys):
    def run(*arguments):
        code = 0
        try:
            run_tool("check_dataset", monkeypatch, *arguments)
        except SystemExit as end:
            code = end.code
        return code, capsys.readouterr()

    return run


def test_a_sound_list(shop, check):
    code, said = check(shop.write())
    assert code == 0 and "Nothing is wrong with it." in said.out and said.err == ""


def test_faults_end_with_1_and_remarks_when_strict(shop, check):
    shop.rows.append(shop.row("train"))
    assert check(shop.write())[0] == 0
    code, said = check(shop.write(), "--strict")
    assert code == 1 and "0 faults, 1 remark" in said.out
    shop.add("empty.jpg", b"", "ann", "1", "train")
    code, said = check(shop.write(), "--workers", 1)
    assert code == 1 and "FAULT  1 picture that can't be read" in said.out


def test_the_files(shop, check, tmp_path):
    shop.add("empty.jpg", b"", "ann", "1", "train")
    page, data = tmp_path / "new" / "page.html", tmp_path / "new" / "data.json"
    _, said = check(shop.write(), "--html", page, "--json", data)
    assert json.loads(data.read_text())["faults"] == 1
    assert "1 picture that can&#x27;t be read" in page.read_text() and str(page) in said.out


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["nowhere"], "no file or folder 'nowhere'"),
        (["nowhere", "--workers", "0"], "must be at least 1"),
        (["nowhere", "--html", "/"], "it is a folder"),
        (["tests", "--model", "nowhere.pth"], "nowhere.pth"),
    ],
)
def test_what_cannot_be_checked_ends_with_2(check, arguments, words):
    code, said = check(*arguments)
    assert code == 2 and words in said.err
