"""tools/search.py finds pictures without labels."""

import json

import numpy as np
import pytest
from helpers.small_checkpoint import write_small_checkpoint
from helpers.tools import run_tool

from mmreid_ext.apis import ReIDInferencer

THRESHOLDS = [dict(fpr=0.01, similarity=-1.0, tpr=0.9, negatives=500, dataset="tiny")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("search_tool")
    write_small_checkpoint(folder, thresholds=THRESHOLDS)
    return folder


def search(monkeypatch, *arguments):
    run_tool("search", monkeypatch, *arguments, "--device", "cpu")


def test_lists_are_those_of_the_embeddings_without_the_query(folder, monkeypatch, capsys, tmp_path):
    out = tmp_path / "found.json"
    model = folder / "model.pth"
    search(
        monkeypatch, folder / "1.png", "--gallery", folder, "--model", model,
        *("--topk", 3, "--json", out, "--csv", tmp_path / "f.csv", "--html", tmp_path / "f.html"),
    )  # fmt: skip
    (query,) = json.loads(out.read_text())["queries"]
    paths = sorted(folder.glob("*.png"))
    feats = ReIDInferencer(model, device="cpu")(paths).double().numpy()
    similarity = feats @ feats[1]
    similarity[1] = -np.inf
    best = np.argsort(-similarity, kind="stable")[:3]
    assert [hit["path"] for hit in query["hits"]] == [paths[i].name for i in best]
    assert [hit["similarity"] for hit in query["hits"]] == pytest.approx(similarity[best], abs=1e-6)
    assert query["itself"] and {hit["same"] for hit in query["hits"]} == {"yes, 1 in 100"}
    said = capsys.readouterr().out
    assert "1.png (it is in the gallery itself, and left out)" in said and "Written:" in said
    assert (tmp_path / "f.html").read_text().count("data:image/jpeg") == 4
    assert len((tmp_path / "f.csv").read_text().splitlines()) == 4


def test_a_kept_gallery_gives_the_same_lists_and_another_model_is_refused(
    folder, monkeypatch, capsys, tmp_path
):
    model, kept = folder / "model.pth", tmp_path / "kept.npz"
    common = [folder / "2.png", "--model", model]
    search(monkeypatch, *common, "--gallery", folder, "--save-gallery", kept)
    first = capsys.readouterr().out
    search(monkeypatch, *common, "--gallery", kept, "--image-root", folder)
    assert (
        first.split("\n\n")[0].splitlines()[-3:]
        == (capsys.readouterr().out.split("\n\n")[0].splitlines()[-3:])
    )
    other = write_small_checkpoint(folder, "other.pth", seed=1)
    with pytest.raises(SystemExit, match="embeddings of another model: model.pth .*other.pth"):
        search(monkeypatch, folder / "2.png", "--gallery", kept, "--model", other)


def test_names_of_people_are_shown(folder, monkeypatch, capsys, tmp_path):
    listing = folder / "people.csv"
    listing.write_text("path,pid,camid\n0.png,lea,0\n1.png,ben,\n")
    search(monkeypatch, folder / "2.png", "--gallery", listing, "--model", folder / "model.pth")
    said = capsys.readouterr().out.replace(str(folder), "")  # pytest's folder may be pytest-1
    assert "lea" in said and "ben" in said and "cam 1" in said and "-1" not in said


def test_unreadable_gallery_pictures_are_said(folder, monkeypatch, capsys, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"x")
    (tmp_path / "list.txt").write_text(f"{folder / '0.png'}\nbroken.png\n")
    gallery = tmp_path / "list.txt"
    search(monkeypatch, folder / "2.png", "--gallery", gallery, "--model", folder / "model.pth")
    assert (
        "Not searched: 1 gallery picture that can't be read, first broken.png"
        in capsys.readouterr().out
    )


def test_an_unreadable_query_is_said_and_the_others_are_asked(
    folder, monkeypatch, capsys, tmp_path
):
    bad = tmp_path / "bad.png"
    bad.write_text("no picture")
    model = ("--gallery", folder, "--model", folder / "model.pth")
    search(monkeypatch, bad, folder / "1.png", *model)
    said = capsys.readouterr().out
    assert f"Not asked: 1 query that can't be read, first {bad}" in said
    assert f"{folder / '1.png'} (it is in the gallery itself" in said
    with pytest.raises(SystemExit, match=f"No query can be read, first {bad}"):
        search(monkeypatch, bad, *model)


def test_the_query_is_found_again_in_stored_embeddings(folder, monkeypatch, capsys, tmp_path):
    kept, model = tmp_path / "kept.npz", ("--model", folder / "model.pth")
    search(monkeypatch, folder / "1.png", "--gallery", folder, *model, "--save-gallery", kept)
    search(monkeypatch, folder / "1.png", "--gallery", kept, *model)
    first, second = capsys.readouterr().out.split(f"Written: {kept}\n")
    assert "(it is in the gallery itself, and left out)" in second
    assert first.split() == second.split()
    other = tmp_path / "1.png"  # another picture of the same name
    other.write_bytes((folder / "0.png").read_bytes())
    search(
        monkeypatch, other, "--gallery", kept, *model, "--topk", 99, "--json", tmp_path / "f.json"
    )
    asked = json.loads((tmp_path / "f.json").read_text())["queries"][0]
    assert not asked["itself"] and {h["path"] for h in asked["hits"]} >= {"0.png", "1.png"}
