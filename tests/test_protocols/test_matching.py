"""One rule of matching in NumPy, in the tiled ranking and in pictures."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from helpers.protocol_images import table

from mmreid_ext.evaluation import evaluate_retrieval
from mmreid_ext.protocols import (
    Labels,
    Split,
)
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
def test_removed_images_are_neither_matches_nor_negatives(budget):
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


def test_the_ground_floor_loads_neither_torch_nor_mmengine():
    code = (
        "import sys, mmreid_ext.protocols as p; p.build_protocol('viper');"
        "ours = {m for m in sys.modules if m.startswith('mmreid_ext.')};"
        "assert not {'torch', 'mmengine'} & set(sys.modules);"
        "allowed = ('mmreid_ext.protocols', 'mmreid_ext.errors', 'mmreid_ext.suggest',"
        " 'mmreid_ext.json_values', 'mmreid_ext.setting_checks', 'mmreid_ext.shorten',"
        " 'mmreid_ext.version', 'mmreid_ext.compat', 'mmreid_ext.moved');"
        "assert all(m.startswith(allowed) for m in ours), ours"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_empty_gallery_has_no_match():
    images = table([(1, 0, "query")] * 3)
    assert Labels.of(images, Split(np.arange(3), np.arange(0))).without_match().all()
