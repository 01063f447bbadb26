"""The whole command line, with an exported model."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from helpers.exported_model import record, write_onnx
from helpers.gallery_pictures import write_people, write_picture
from helpers.paths import ROOT
from helpers.tools import load_tool

pytest.importorskip("faiss"), pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Pictures of three people, a model, and the folder of them as the current one."""
    write_people(tmp_path / "photos")
    write_picture(tmp_path / "who.png", 1, 7)
    write_onnx(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def gallery(monkeypatch, capsys, place):
    tool = load_tool("gallery")

    def call(*words, code=None):
        monkeypatch.setattr(sys, "argv", ["gallery.py", *map(str, words)])
        try:
            tool.main()
            ended = None
        except SystemExit as error:
            ended = error.code
        if isinstance(code, str):
            assert str(ended).startswith(f"error: {code}"), ended
        else:
            assert ended == code, ended
        return capsys.readouterr().out

    return call


ADD = ("add", "people.db", "photos", "--model", "model.onnx")
MODEL = ("--model", "model.onnx")


def test_from_pictures_to_an_empty_gallery(gallery, place):
    out = gallery(*ADD, "--identity-from-folder", "--camera", "door", "--thumbnails")
    assert "people.db: 9 pictures added; it holds 9" in out
    assert "0 pictures added, 9 were there and stay as they are; it holds 9" in gallery(*ADD)
    out = gallery("search", "people.db", "who.png", *MODEL, "--top", "2", "--json", "found.json")
    assert [line.split()[-1][:4] for line in out.splitlines()[3:5]] == ["tom/", "tom/"]
    [query] = json.loads((place / "found.json").read_text())["queries"]
    assert [hit["identity"] for hit in query["hits"]] == ["tom", "tom"]
    assert "nothing was found; pictures of unknown camera" in gallery(
        "search", "people.db", "who.png", *MODEL, "--not-camera", "door"
    )
    out = gallery("info", "people.db")
    assert "people    3: eva (3), lea (3), tom (3)" in out
    assert json.loads(gallery("info", "people.db", "--json"))["thumbnails"] == 9
    assert "3 pictures deleted; it holds 6" in gallery(
        "delete", "people.db", "--identity", "tom", "--yes"
    )
    ids = [str(hit["id"]) for hit in query["hits"]]
    assert "0 pictures deleted" in gallery("delete", "people.db", "--id", *ids, "--yes")
    assert sorted(json.loads(gallery("info", "people.db", "--json"))["people"], key=str) == [
        {"identity": name, "count": 3} for name in ("eva", "lea")
    ]


def test_deletion_is_asked_for(gallery, monkeypatch):
    gallery(*ADD, "--identity", "lea")
    gallery(
        "delete", "people.db", "--identity", "lea", code="Delete 9 pictures of 'lea' from people"
    )
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: "n")
    assert "Nothing was deleted." in gallery("delete", "people.db", "--identity", "lea", code=1)
    monkeypatch.setattr("builtins.input", lambda question: "y")
    assert "9 pictures deleted; it holds 0" in gallery("delete", "people.db", "--identity", "lea")
    gallery("delete", "people.db", "--identity", "lea", code="--identity 'lea': the gallery has no")


def test_names_are_changed_by_label_alone(gallery, place):
    gallery(*ADD, "--identity", "lea")
    out = gallery(*ADD, "--identity-from-folder")
    assert "9 were there" in out and "6 of these keep another name; `label` changes it" in out
    gallery("search", "people.db", "who.png", *MODEL, "--top", "2", "--json", "found.json")
    [query] = json.loads((place / "found.json").read_text())["queries"]
    ids = [hit["id"] for hit in query["hits"]]
    assert "2 pictures of 'tom' now" in gallery(
        "label", "people.db", "--id", *ids, "--identity", "tom"
    )
    assert "people    2: lea (7), tom (2)" in gallery("info", "people.db")
    assert "1 picture of nobody known now" in gallery("label", "people.db", "--id", ids[0])


def test_unreadable_pictures_have_an_exit_code(gallery, place):
    (place / "photos" / "broken.jpg").write_bytes(b"\xff\xd8")
    out = gallery(*ADD, code=3)
    assert "9 pictures added" in out and "NOT added: broken.jpg: the file is cut off" in out
    out = gallery("search", "people.db", "who.png", "photos/broken.jpg", *MODEL, code=3)
    assert "NOT asked: photos/broken.jpg: the file is cut off" in out


def test_what_cant_be_done(gallery, place):
    gallery("info", "none.db", code="")
    gallery("search", "none.db", "who.png", *MODEL, code="")
    gallery("add", "people.db", "photos", code="add: pictures need --model")
    gallery("add", "people.db", "none", *MODEL, code="No folder and no file 'none'")
    assert not (place / "none.db").exists() and not (place / "people.db").exists()
    gallery(*ADD)
    (place / "other").mkdir()
    write_onnx(place / "other", about=record(weights="ef" * 32), seed=5)
    other = ("--model", "other/model.onnx")
    gallery("search", "people.db", "who.png", *other, code="people.db holds embeddings of another")
    gallery("add", "people.db", "photos", *other, code="people.db holds embeddings of another")
    gallery(*ADD, "--device", "cpu", code="--device cpu is for checkpoints")
    gallery("copy", "people.db", "people.db", code="copy: people.db and people.db are one gallery")


def test_everything_moves(gallery, place):
    gallery(*ADD, "--identity-from-folder", "--thumbnails")
    assert "other.db: 9 pictures added; it holds 9" in gallery("copy", "people.db", "other.db")
    assert "0 pictures added, 9 were there" in gallery("copy", "people.db", "other.db")
    assert "Written: out.npz, 9 embeddings" in gallery("export", "other.db", "out.npz")
    assert np.load(place / "out.npz")["feats"].shape == (9, 8)
    assert "9 pictures added; it holds 9" in gallery("import", "third.db", "out.npz")
    assert "fourth.db: 9 pictures added" in gallery("add", "fourth.db", "out.npz")
    people = [
        json.loads(gallery("info", one, "--json"))["people"] for one in ("people.db", "third.db")
    ]
    assert people[0] == people[1]
    out = gallery("search", "third.db", "who.png", *MODEL, "--top", "1")
    assert "tom" in out


def test_nothing_heavy_is_loaded(gallery, place):
    """Adding and searching with an exported model need neither PyTorch nor mm*."""
    code = (
        "import runpy, sys\n"
        "sys.argv = sys.argv[1:]\n"
        "try:\n"
        "    runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "finally:\n"
        "    names = 'torch', 'mmengine', 'mmcv', 'mmpretrain', 'pymilvus', 'pandas'\n"
        "    print('loaded', [name for name in names if name in sys.modules])\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    for words in (ADD, ("search", "people.db", "who.png", *MODEL), ("info", "people.db")):
        command = [sys.executable, "-c", code, str(ROOT / "tools" / "gallery.py"), *words]
        ended = subprocess.run(
            command, capture_output=True, text=True, env=environment, cwd=place, check=True
        )
        assert ended.stdout.splitlines()[-1] == "loaded []", ended.stdout
