"""Distractors in pictures: nobody's match, nobody's person, under every protocol."""

import json

import numpy as np
import pytest
from helpers.distractors import NOBODY, PROTOCOLS
from helpers.tools import run_tool

import mmreid_ext.visualization as visualization
from mmreid_ext.evaluation import EmbeddingSet, evaluate_set, save_features
from mmreid_ext.protocols import build_protocol


@pytest.fixture
def images():
    """Five people, and eight images of nobody that look alike: one number, three cameras."""
    rng = np.random.default_rng(0)
    pids = np.append(np.repeat(np.arange(1, 6), 6), [NOBODY] * 8)
    camids = np.append(np.tile([0, 1, 2], 10), [0, 1, 2, 0, 1, 2, 0, 1])
    roles = np.append(np.tile(["query", *["gallery"] * 5], 5), ["query", *["gallery"] * 7])
    noise = np.where(pids == NOBODY, 0.01, 1.0)[:, None]
    feats = rng.normal(size=(8, 6))[pids] + noise * rng.normal(size=(len(pids), 6))
    names = [f"{row}.png" for row in range(len(pids))]
    return EmbeddingSet(
        feats, pids, camids, roles, ["set"] * len(pids), names, distractors=pids == NOBODY
    )


@pytest.fixture
def drawn(monkeypatch):
    """Everything that is given to a drawing function, by its name."""
    given = {}

    def record(name):
        draw = getattr(visualization, name)

        def keep(*args, **kwargs):
            given[name] = args
            result = given[f"{name} result"] = draw(*args, **kwargs)
            return result

        monkeypatch.setattr(visualization, name, keep)

    for name in ("plot_distance_histogram", "plot_tsne", "save_ranked_list_png"):
        record(name)
    return given


def page_data(path):
    text = path.read_text("utf-8")
    return json.loads(text.split('type="application/json">')[1].split("</script>")[0])


def pairs_of_people(images, split):
    """Positive pairs of a split by a plain loop: distractors are in none."""
    number = 0
    for place, query in enumerate(split.query):
        for other, row in enumerate(split.gallery):
            allowed = True
            if split.query_camids is not None:
                allowed = split.query_camids[place] != split.gallery_camids[other]
            same = images.pids[query] == images.pids[row] != NOBODY
            number += int(same and allowed)
    return number


@pytest.mark.parametrize("name", PROTOCOLS)
@pytest.mark.slow
def test_lists_and_histograms_take_no_distractor_for_a_match(
    name, images, drawn, tmp_path, monkeypatch
):
    path = save_features(tmp_path / "features.npz", images)
    options = ["--protocol", name, "--out-dir", tmp_path / "out", "--limit", 0, "--topk", 40]
    run_tool("visualize_ranks", monkeypatch, path, *options, "--png-limit", 2, "--no-rerank")
    (folder,) = (tmp_path / "out").iterdir()
    data = page_data(folder / "ranked_list.html")
    assert not [query for query in data["queries"] if query["picture"]["pid"] == NOBODY]
    for entry in data["gallery"]:
        assert entry["distractor"] == (entry["pid"] == NOBODY)
    split = next(iter(build_protocol(name).splits(images)))
    listed = sum(images.distractors[split.gallery])
    for query in data["queries"]:
        marks = [match for row, _, match in query["lists"][0] if data["gallery"][row]["distractor"]]
        assert len(marks) == listed and not any(marks)
    assert (listed > 0) == (name != "self_retrieval"), "they are a part of every other gallery"

    ranked = drawn["save_ranked_list_png"][1]
    assert not (ranked.query_pids[ranked.queries] == NOBODY).any()
    assert not ranked.lists[0].matches[ranked.gallery_pids[ranked.lists[0].indices] == NOBODY].any()
    (histogram, _) = drawn["plot_distance_histogram"]
    assert histogram.true.sum() == pairs_of_people(images, split)


@pytest.mark.parametrize("name", [name for name in PROTOCOLS if name != "single_gallery_shot"])
def test_the_score_of_a_picture_is_that_of_the_table(name, images, tmp_path, monkeypatch):
    path = save_features(tmp_path / "features.npz", images)
    options = ["--protocol", name, "--out-dir", tmp_path, "--limit", 1, "--png-limit", 1]
    run_tool("visualize_ranks", monkeypatch, path, *options, "--no-rerank")
    data = page_data(tmp_path / "set" / "ranked_list.html")
    expected = evaluate_set(images, name, rerank=None).plain.mAP
    assert data["lists"][0]["scores"]["mAP"] == pytest.approx(expected)


def test_a_map_gives_them_no_colour(images, drawn, tmp_path, monkeypatch):
    pytest.importorskip("sklearn")
    path = save_features(tmp_path / "features.npz", images)
    run_tool("plot_embeddings", monkeypatch, path, "--out", tmp_path / "map.png")
    (axes,) = drawn["plot_tsne result"].axes
    grey, *people = (len(points.get_offsets()) for points in axes.collections)
    assert grey == images.distractors.sum() and people == [6] * 5
