"""The smallest sets, and sets whose metrics are undefined, through every picture and tool."""

import json

import numpy as np
import pytest
from helpers.tools import run_tool
from PIL import Image

from mmreid_ext.evaluation import EmbeddingSet, evaluate_set, save_features
from mmreid_ext.visualization import (
    pair_histogram,
    plot_cmc,
    plot_distance_histogram,
    plot_roc,
    tsne,
)

PICTURES = {"ranked_list.html", "ranked_list.png", "cmc.png", "roc.png", "distances.png"}


def saved(folder, pids, feats=None):
    """A query and a gallery image of each of ``pids``, in two cameras."""
    count = 2 * len(pids)
    names = [f"{row}.png" for row in range(count)]
    for name in names:
        Image.new("RGB", (8, 16)).save(folder / name)
    if feats is None:
        feats = np.random.default_rng(0).normal(size=(count, 4))
    roles = ["query", "gallery"] * len(pids)
    images = EmbeddingSet(
        feats, np.repeat(pids, 2), [0, 1] * len(pids), roles, ["set"] * count, names
    )
    return images, save_features(folder / "features.npz", images)


@pytest.mark.parametrize(
    "feats",
    [None, np.ones((4, 4)), np.zeros((4, 4)), np.ones((4, 1))],
    ids=["usual", "equal", "zero", "one-d"],
)
@pytest.mark.parametrize("pids", [[5, 5], [5, 6]], ids=["one-person", "two"])
@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
@pytest.mark.slow
def test_every_picture_of_a_tiny_set_is_drawn(tmp_path, monkeypatch, pids, feats):
    _, path = saved(tmp_path, pids, feats)
    out = tmp_path / "out"
    options = ["--out-dir", out, "--image-root", tmp_path]
    for distance in ("cosine", "euclidean"):
        run_tool("visualize_ranks", monkeypatch, path, *options, "--distance", distance)
        assert {file.name for file in (out / "set").iterdir()} == PICTURES
    run_tool("plot_embeddings", monkeypatch, path, "--out", tmp_path / "map.png")
    assert (tmp_path / "map.png").stat().st_size


def test_a_single_pair_is_drawn_and_a_map_of_it_is_refused(tmp_path, monkeypatch):
    _, path = saved(tmp_path, [5])
    run_tool(
        "visualize_ranks",
        monkeypatch,
        path,
        "--out-dir",
        tmp_path / "out",
        "--image-root",
        tmp_path,
    )
    assert {file.name for file in (tmp_path / "out" / "set").iterdir()} == PICTURES
    with pytest.raises(SystemExit, match="N at least 4"):
        run_tool("plot_embeddings", monkeypatch, path)
    with pytest.raises(ValueError, match="N at least 4"):
        tsne(np.ones((3, 2)))


def test_what_one_kind_of_pair_leaves_undefined_is_said():
    feats, pids = np.random.default_rng(0).normal(size=(6, 3)), np.full(3, 5)
    histogram = pair_histogram(feats[:3], feats[3:], pids, pids)
    assert histogram.true.sum() == 9 and np.isnan(histogram.overlap)
    title = plot_distance_histogram(histogram).axes[0].get_legend().get_title()
    assert title.get_text() == "Pairs of one kind only"
    curve = np.linspace(0, 1, 5)
    figure = plot_roc({"a": (curve, np.full(5, np.nan)), "b": (curve, curve)})
    words = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert words == ["a  (pairs of one kind only)", "b"]
    with pytest.raises(ValueError, match="'a' must be"):
        plot_roc({"a": (curve, np.array([0, np.nan, 1, 1, 1]))})
    with pytest.raises(ValueError, match="'a' must be"):
        plot_cmc({"a": np.full(3, np.nan)})


def test_results_of_one_person_are_plain_json(tmp_path, monkeypatch):
    images, path = saved(tmp_path, [5, 5])
    assert evaluate_set(images).metrics()["mAP"] == 100
    out = tmp_path / "results.json"
    run_tool("evaluate", monkeypatch, path, "--out", out)
    json.loads(out.read_text(), parse_constant=lambda word: pytest.fail(word))
