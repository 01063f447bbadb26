"""tools/export_ranks.py, run in this process."""

import csv
import json

import numpy as np
import pytest
from helpers.tools import run_tool

from mmreid_ext.evaluation import evaluate_set, load_features


@pytest.fixture
def features(people, tmp_path):
    count = sum(map(len, people.arrays[:2]))
    names = json.dumps({"first": {"3": "lea"}})
    distractors = np.zeros(count, bool)
    path = tmp_path / "features.npz"
    return people.save_features(path, distractors=distractors, note_pid_names=names)


def export(monkeypatch, features, out, *arguments):
    run_tool("export_ranks", monkeypatch, features, "--out", out, *arguments)
    if out.suffix == ".json":
        return json.loads(out.read_text("utf-8"))
    return list(csv.DictReader(out.open(encoding="utf-8", newline="")))


def test_lists_follow_the_saved_protocol_or_the_one_given(features, tmp_path, monkeypatch, capsys):
    rows = export(monkeypatch, features, tmp_path / "r.csv", "--topk", 3)
    assert len(rows) == 24 * 3 and {row["set"] for row in rows} == {"first"}
    assert {row["query_person"] for row in rows} >= {"lea", "4"}
    assert "lists of 24 queries by cosine_similarity" in capsys.readouterr().out
    removed = []
    for protocol in ("no_camera", "camera"):
        out, options = tmp_path / "r.json", ("--protocol", protocol, "--topk", 0)
        data = export(monkeypatch, features, out, *options)
        removed.append({query["removed"] for query in data["queries"]})
        assert data["checkpoint"] is None and data["topk"] is None
    assert removed[0] == {0} and removed[1] >= {2}


def test_re_ranked_flags_give_the_re_ranked_first_rank(features, tmp_path, monkeypatch):
    rows = export(
        monkeypatch, features, tmp_path / "r.csv", "--topk", 1, "--rerank", "k1=6", "k2=2"
    )
    expected = evaluate_set(
        load_features(features)[0], "no_camera", rerank=dict(k1=6, k2=2, lambda_value=0.3)
    ).reranked
    answerable = [row for row in rows if row["matches"] != "0"]
    share = np.mean([row["match"] == "1" for row in answerable])
    assert share == pytest.approx(expected.cmc[0]) and "k_reciprocal_distance" in rows[0]


def test_all_splits_are_written(features, tmp_path, monkeypatch):
    protocol = '{"type": "single_gallery_shot", "repeats": 2}'
    data = export(monkeypatch, features, tmp_path / "r.json", "--protocol", protocol)
    assert [entry["split"] for entry in data["sets"]] == [1, 2, 3, 4, 5, 6], "3 cameras, twice"
    assert [entry["trial"] for entry in data["sets"]] == [1, 1, 1, 2, 2, 2]
    assert {query["split"] for query in data["queries"]} == {1, 2, 3, 4, 5, 6}


def test_without_labels(features, tmp_path, monkeypatch, capsys):
    held = dict(np.load(features))
    count = len(held["pids"])
    held |= dict(pids=np.full(count, -1), roles=np.full(count, "gallery"))
    del held["note_protocols"]
    np.savez(features, **held)
    rows = export(monkeypatch, features, tmp_path / "r.csv", "--topk", 2)
    assert len(rows) == 2 * count and {row["match"] for row in rows} == {""}
    assert all(row["query"] != row["path"] for row in rows)
    assert "every picture against all others" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="re-ranking needs queries apart from the gallery"):
        export(monkeypatch, features, tmp_path / "r.csv", "--rerank")


def test_wrong_arguments(features, tmp_path, monkeypatch, capsys):
    with pytest.raises(SystemExit, match=r"must end with \.csv or \.json"):
        export(monkeypatch, features, tmp_path / "r.txt")
    with pytest.raises(SystemExit, match="--dataset second: .* it holds first"):
        export(monkeypatch, features, tmp_path / "r.csv", "--dataset", "second")
    with pytest.raises(SystemExit, match="--rerank takes"):
        export(monkeypatch, features, tmp_path / "r.csv", "--rerank", "k9=1")
    with pytest.raises(SystemExit):
        export(monkeypatch, features, tmp_path / "r.csv", "--topk", -1)
    assert "--topk -1: at least 1" in capsys.readouterr().err
    assert not (tmp_path / "r.csv").exists()
