"""Rank by a slow loop over queries and matches, in float64."""

import numpy as np
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
