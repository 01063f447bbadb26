"""The two command lines, run in this process."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from helpers.tools import run_tool

from mmreid_ext.evaluation import evaluate_set, load_features


@pytest.fixture
def features(people, tmp_path):
    return people.save_features(tmp_path / "features.npz")


def page_data(path: Path) -> dict:
    text = path.read_text("utf-8")
    return json.loads(text.split('type="application/json">')[1].split("</script>")[0])


def test_ranks_of_saved_features(features, people, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    arguments = ["--out-dir", out, "--image-root", people.root, "--limit", 7, "--topk", 3]
    run_tool("visualize_ranks", monkeypatch, features, *arguments, "--png-limit", 2)
    names = {"ranked_list.html", "ranked_list.png", "cmc.png", "roc.png", "distances.png"}
    assert {path.name for path in (out / "first").iterdir()} == names
    data = page_data(out / "first" / "ranked_list.html")
    assert len(data["queries"]) == 7 and len(data["lists"]) == 2 and data["topk"] == 3
    # the saved protocol has no camera rule; the pictures still name the cameras
    assert {query["removed"] for query in data["queries"]} == {0}
    assert {query["picture"]["camid"] for query in data["queries"]} <= {0, 1, 2}
    assert "7 queries drawn (Original mAP" in capsys.readouterr().out

    more = ["--protocol", "camera", "--no-rerank", "--limit", 0, "--png-limit", 1]
    run_tool("visualize_ranks", monkeypatch, features, *arguments[:4], *more)
    data = page_data(out / "first" / "ranked_list.html")
    assert len(data["lists"]) == 1 and len(data["queries"]) == 23
    assert {query["removed"] for query in data["queries"]} == {0, 2}


def test_moved_images_and_names_of_people(people, features, tmp_path, monkeypatch):
    held = dict(np.load(features))
    held["names"] = np.array([f"/elsewhere/photos/{name}" for name in held["names"]])
    held["note_pid_names"] = np.array(json.dumps({"first": {"3": "lea"}}))
    np.savez(features, **held)
    out = tmp_path / "out"
    for root in (people.root, Path(people.root).parent):
        arguments = ["--out-dir", out, "--image-root", root, "--limit", 0, "--png-limit", 1]
        run_tool("visualize_ranks", monkeypatch, features, *arguments)
        data = page_data(out / "first" / "ranked_list.html")
        pictures = [query["picture"] for query in data["queries"]]
        if root == people.root:
            assert all(picture["thumb"] for picture in pictures)
        assert {p["person"] for p in pictures if p["pid"] == 3} == {"lea"}
        assert all(p["person"] == f"pid {p['pid']}" for p in pictures if p["pid"] != 3)


def test_one_of_several_splits_is_drawn(features, people, tmp_path, monkeypatch):
    galleries = {}
    for split in (1, 2):
        arguments = ["--protocol", "single_gallery_shot", "--split", split, "--out-dir", tmp_path]
        arguments += ["--image-root", people.root, "--limit", 1, "--png-limit", 1, "--no-rerank"]
        run_tool("visualize_ranks", monkeypatch, features, *arguments)
        data = page_data(tmp_path / f"first_split{split}" / "ranked_list.html")
        galleries[split] = json.dumps(data["queries"])
    assert galleries[1] != galleries[2]
    with pytest.raises(SystemExit, match=r"--split 3: the protocol of 'first' has 1 split"):
        run_tool("visualize_ranks", monkeypatch, features, "--split", 3)


@pytest.mark.parametrize("protocol", ["paddleclas", "self_retrieval"])
def test_scores_and_lists_are_those_of_the_table(features, people, tmp_path, monkeypatch, protocol):
    arguments = ["--protocol", protocol, "--out-dir", tmp_path, "--image-root", people.root]
    arguments += ["--limit", 1, "--png-limit", 1]
    run_tool("visualize_ranks", monkeypatch, features, *arguments)
    images, _ = load_features(features)
    result = evaluate_set(images, protocol, rerank=dict(k1=20))
    scores = [result.plain, *([result.reranked] if result.reranked else [])]
    data = page_data(tmp_path / "first" / "ranked_list.html")
    assert [entry["scores"]["mAP"] for entry in data["lists"]] == pytest.approx(
        [score.mAP for score in scores]
    )


def test_unknown_set_is_named(features, monkeypatch):
    for tool in ("visualize_ranks", "plot_embeddings"):
        with pytest.raises(SystemExit, match="--dataset second: .* no such test set.*first"):
            run_tool(tool, monkeypatch, features, "--dataset", "second")


def test_map_of_saved_features(features, tmp_path, monkeypatch):
    run_tool("plot_embeddings", monkeypatch, features, "--max-images", 30)
    assert features.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
