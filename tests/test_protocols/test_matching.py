"""One camera rule in NumPy, in the tiled ranking and in pictures; the true cause of no match."""

import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from helpers.no_match_causes import CAUSES

from mmreid_ext.evaluation import EmbeddingSet, NoValidQueryError, evaluate_retrieval, evaluate_set
from mmreid_ext.protocols import (
    CameraProtocol,
    ImageTable,
    Labels,
    Split,
    match_report,
    other_camera,
    unknown_cameras_message,
)
from mmreid_ext.visualization import rank_queries
from mmreid_ext.visualization.pair_blocks import PairBlocks


def random_labels(seed=0, queries=30, gallery=12, cameras=True):
    """A few identities, some junk, some cameras unknown."""
    rng = np.random.default_rng(seed)
    pids = (rng.integers(-1, 6, queries), rng.integers(-1, 6, gallery))
    camids = (rng.integers(-1, 3, queries), rng.integers(-1, 3, gallery))
    return Labels(*pids, *(camids if cameras else (None, None)))


def true_matches(labels):
    """The definition, pair by pair."""
    found = np.zeros((len(labels.query_pids), len(labels.gallery_pids)), dtype=bool)
    for q, pid in enumerate(labels.query_pids):
        for g, other in enumerate(labels.gallery_pids):
            allowed = True
            if labels.has_cameras:
                a, b = labels.query_camids[q], labels.gallery_camids[g]
                allowed = a >= 0 and b >= 0 and a != b
            found[q, g] = pid == other and pid != -1 and allowed
    return found


@pytest.mark.parametrize("cameras", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_numpy_torch_and_pictures_apply_one_rule(seed, cameras):
    labels = random_labels(seed, cameras=cameras)
    expected = true_matches(labels)
    assert labels.matches().tolist() == expected.sum(1).tolist()
    assert 0 < labels.without_match().sum() < len(expected)
    generator = torch.Generator().manual_seed(seed)
    feats = [torch.randn(n, 4, generator=generator) for n in expected.shape]
    columns = (labels.query_pids, labels.gallery_pids, labels.query_camids, labels.gallery_camids)
    ap = evaluate_retrieval(*feats, *columns).ap
    assert np.isfinite(ap).tolist() == (~labels.without_match()).tolist()
    pairs = PairBlocks(*feats, *columns)
    drawn = pairs.matches(torch.arange(len(expected))).numpy()
    assert (drawn == expected[:, pairs.gallery_rows]).all()


@pytest.mark.parametrize("budget", [1, 2**20])
def test_removed_images_are_neither_matches_nor_wrong(budget):
    """AP by the definition, junk, own and unknown cameras taken out of the list."""
    labels = random_labels(3, queries=20, gallery=40)
    rng = np.random.default_rng(1)
    feats = [torch.tensor(rng.normal(size=(n, 4))) for n in (20, 40)]
    columns = (labels.query_pids, labels.gallery_pids, labels.query_camids, labels.gallery_camids)
    found = evaluate_retrieval(*feats, *columns, memory_budget=budget).ap
    units = [x / x.norm(dim=1, keepdim=True) for x in feats]
    scores, hits = (units[0] @ units[1].T).numpy(), true_matches(labels)
    for q, pid in enumerate(labels.query_pids):
        listed = (labels.gallery_pids != -1) & ((labels.gallery_pids != pid) | hits[q])
        order = np.argsort(-scores[q][listed])
        right = hits[q][listed][order]
        precision = (np.cumsum(right) / np.arange(1, len(right) + 1))[right]
        expected = precision.mean() if right.any() else np.nan
        np.testing.assert_allclose(found[q], expected, rtol=1e-12)


def test_the_rule_is_the_same_for_arrays_and_tensors():
    cameras = np.arange(-2, 3)
    for query in cameras:
        expected = [query >= 0 and other >= 0 and query != other for other in cameras]
        assert other_camera(query, cameras).tolist() == expected
        assert other_camera(torch.tensor(query), torch.tensor(cameras)).tolist() == expected


def test_the_ground_floor_loads_neither_torch_nor_mmengine():
    code = (
        "import sys, mmreid_ext.protocols as p; p.build_protocol('viper');"
        "ours = {m for m in sys.modules if m.startswith('mmreid_ext.')};"
        "assert not {'torch', 'mmengine'} & set(sys.modules);"
        "allowed = ('mmreid_ext.protocols', 'mmreid_ext.errors', 'mmreid_ext.suggest',"
        " 'mmreid_ext.setting_checks', 'mmreid_ext.shorten',"
        " 'mmreid_ext.version', 'mmreid_ext.compat', 'mmreid_ext.moved');"
        "assert all(m.startswith(allowed) for m in ours), ours"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def table(rows, lone=(), kind=ImageTable):
    pids, camids, roles = (list(column) for column in zip(*rows, strict=True))
    marks = [i in lone for i in range(len(rows))]
    rest = (pids, camids, roles, ["set"] * len(rows), [f"{i}.jpg" for i in range(len(rows))], marks)
    return kind(torch.eye(len(rows)), *rest) if kind is EmbeddingSet else kind(*rest)


def camera_labels(images):
    return Labels.of(images, CameraProtocol().matching_split(images))


@pytest.mark.parametrize("name", CAUSES)
def test_the_true_cause_is_named(name):
    """In evaluation and in pictures alike; the causes are the same in the reader (its own test)."""
    rows, lone, words = CAUSES[name]
    images = table(rows, lone, EmbeddingSet)
    with pytest.raises(NoValidQueryError, match=words):
        evaluate_set(images)
    labels = camera_labels(images)
    query, gallery = (images.roles == role for role in ("query", "gallery"))
    report = match_report(labels, "set")
    assert report.is_total
    others = [w for key, (_, _, w) in CAUSES.items() if w != words and "distractors" not in key]
    assert not [w for w in others if re.search(w, report.text)], report.text
    if name == "queries distractors":
        return  # plain arrays don't say which images are distractors
    arrays = (images.feats[query], images.feats[gallery], labels.query_pids, labels.gallery_pids)
    with pytest.raises(ValueError, match=f"(?s){words}"):
        rank_queries(*arrays, labels.query_camids, labels.gallery_camids)


def test_several_causes_are_counted_each():
    rows = [(1, 0, "query"), (2, 0, "query"), (3, -1, "query"), (4, 0, "query"), (-1, 0, "query")]
    rows += [(1, 1, "gallery"), (2, 0, "gallery"), (3, 0, "gallery")]
    images = table(rows)
    report = match_report(camera_labels(images), "set")
    assert report.missing.tolist() == [False, True, True, True, True] and not report.is_total
    for words in (
        "4 of 5 query images",
        "1 queries: matches from their own camera",
        "1 queries: no known camera",
        "1 queries: junk themselves",
        "1 queries: identities of query and gallery differ",
    ):
        assert words in report.text


def test_unknown_cameras_among_known_ones_are_counted():
    rows = [(1, 0, "query"), (2, -1, "query"), (1, 1, "gallery"), (1, -1, "gallery")]
    rows += [(2, 1, "gallery")]
    images = table(rows, kind=EmbeddingSet)
    result = evaluate_set(images)
    assert "2 of 5 images have no known camera (1 queries, 1 gallery" in result.unknown_cameras
    assert "2 matches with them do not count" in result.unknown_cameras
    assert np.isfinite(result.plain.ap).tolist() == [True, False]
    assert evaluate_set(images, "no_camera").unknown_cameras == ""
    assert evaluate_set(images, "self_retrieval").unknown_cameras == ""
    known = Labels(*(np.array([1, 1]),) * 2, np.array([0, 1]), np.array([1, 0]))
    assert unknown_cameras_message(known, "set") == ""


def test_self_retrieval_of_single_images_says_so():
    images = table([(1, 0, "query"), (2, 0, "query")], kind=EmbeddingSet)
    with pytest.raises(NoValidQueryError, match="the only image of their identity"):
        evaluate_set(images, "self_retrieval")


def test_cuhk03_classic_with_one_camera_names_the_camera():
    images = table([(1, 0, "query"), (1, 0, "gallery")], kind=EmbeddingSet)
    with pytest.raises(NoValidQueryError, match="all images come from cam 1"):
        evaluate_set(images, "cuhk03_classic")


def test_empty_gallery_has_no_match():
    images = table([(1, 0, "query")] * 3)
    assert Labels.of(images, Split(np.arange(3), np.arange(0))).without_match().all()
