"""Rank by a slow loop over queries and matches, in float64."""

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

TIE = 2.0**-40


def dense_scores(query, gallery, distance):
    query, gallery = query.double(), gallery.double()
    if distance == "cosine":
        return (normalize(query) @ normalize(gallery).T).numpy()
    square = -torch.cdist(query, gallery, compute_mode="donot_use_mm_for_euclid_dist").square()
    return (square / (query.norm(dim=1).max() + gallery.norm(dim=1).max()) ** 2).numpy()


def oracle(
    query, gallery, qp, gp, qc=None, gc=None, distance="cosine", keep_junk=False, scores=None
):
    """Loop over queries and matches: rows (AP, INP, first rank), all true and wrong scores."""
    scores = dense_scores(query, gallery, distance) if scores is None else scores
    rows, true, wrong = [], [], []
    for row, pid, cam in zip(scores, qp, qp if qc is None else qc, strict=True):
        same_camera = np.zeros(len(gp), bool) if gc is None else gc == cam
        match = (gp == pid) & ~same_camera & (gp != -1)
        others = row[(gp != pid) & (gp != -1)]
        if keep_junk:
            others = np.append(others, np.zeros(int(((gp == pid) & same_camera).sum())))
        matches = sorted(row[match], reverse=True)
        ranks = [k + int((others >= m - TIE).sum()) for k, m in enumerate(matches, 1)]
        if not ranks:
            rows.append((np.nan, np.nan, 0))
            continue
        ap = np.mean([k / r for k, r in enumerate(ranks, 1)])
        rows.append((ap, len(ranks) / ranks[-1], ranks[0]))
        true += matches
        wrong.append(others)
    return np.array(rows), np.array(true), np.sort(np.concatenate(wrong))[::-1]


def problem(seed=0, dim=16, queries=60, gallery=700, identities=25, cameras=3, spread=1.0):
    """Clustered features with distractors (0), junk (-1) and identities without a match."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((identities + 1, dim))
    qp = rng.integers(1, identities + 4, queries)  # the last three have no gallery image
    gp = rng.integers(-1, identities + 1, gallery)
    feats = [
        torch.from_numpy(
            centres[np.clip(p, 0, identities)] + spread * rng.standard_normal((len(p), dim))
        )
        for p in (qp, gp)
    ]
    cams = [rng.integers(0, cameras, len(p)) for p in (qp, gp)]
    return [*(f.float() for f in feats), qp, gp, *cams]


def check_result(result, expected):
    """Compare a result with the oracle's rows to the last query."""
    ap, inp, first = expected.T
    np.testing.assert_array_equal(result.first_hit, first)
    # ranks are whole numbers: what is left is the rounding of a mean in float64
    np.testing.assert_allclose(result.ap, ap, rtol=1e-14)
    np.testing.assert_allclose(result.inp, inp, rtol=1e-14)
    valid = ~np.isnan(ap)
    assert result.num_valid_queries == valid.sum()
    assert result.mAP == pytest.approx(ap[valid].mean(), rel=1e-14)
    assert result.mINP == pytest.approx(inp[valid].mean(), rel=1e-14)
    cmc = [(first[valid] <= r).mean() for r in range(1, len(result.cmc) + 1)]
    np.testing.assert_allclose(result.cmc, cmc, rtol=1e-14)
