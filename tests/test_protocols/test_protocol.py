"""Protocols by role, by camera and of every image; their settings."""

import numpy as np
import pytest
import torch
from helpers.protocol_images import angles, image_set

from mmreid_ext.evaluation import evaluate_set
from mmreid_ext.protocols import CameraProtocol


def test_camera_protocol_splits_by_role_and_gives_cameras():
    images = image_set([1, 1, 2, 2], [0, 1, 0, 1], ["query", "gallery", "gallery", "query"])
    (split,) = CameraProtocol().splits(images)
    assert split.query.tolist() == [0, 3] and split.gallery.tolist() == [1, 2]
    assert split.query_camids.tolist() == [0, 1] and split.gallery_camids.tolist() == [1, 0]
    (split,) = CameraProtocol(use_cameras=False).splits(images)
    assert split.query_camids is None and split.gallery_camids is None


def test_a_missing_role_is_named():
    images = image_set([1, 1], [0, 1], ["gallery", "gallery"])
    with pytest.raises(ValueError, match=r"'people' has no query image.*\{'gallery': 2\}"):
        list(CameraProtocol().splits(images))


def test_self_retrieval_excludes_the_image_itself_and_nothing_else():
    # 0 and 1 are the same picture: each must find the other at rank 1; 4 is alone in its identity.
    images = image_set([7, 7, 7, 8, 9], [0] * 5, ["gallery"] * 5, angles(0, 0, 50, 30, 31))
    result = evaluate_set(images, dict(type="self_retrieval", ranks=[1, 2]))
    assert result.plain.num_valid_queries == 3
    # Query 2 (50 degrees): 4 (31), 3 (30), then 0 and 1 at ranks 3 and 4.
    assert result.plain.ap[:3] == pytest.approx(
        [(1 + 2 / 4) / 2, (1 + 2 / 4) / 2, (1 / 3 + 2 / 4) / 2]
    )
    assert np.isnan(result.plain.ap[3:]).all()
    assert result.plain.percent()["R1"] == pytest.approx(100 * 2 / 3)
    assert result.reranked is None, "re-ranking a set in itself is not defined"
    assert set(result.extras) == {"R-precision", "MAP@R", "NMI"}


def test_paddleclas_counting_keeps_junk_at_similarity_zero():
    """algorithms of PaddleClas: junk .9 -> 0, match -.1, others .3: rank 3 instead of 2."""
    similarity = np.array([0.9, -0.1, 0.3])
    feats = np.concatenate([[[1.0, 0.0]], np.stack([similarity, np.sqrt(1 - similarity**2)], 1)])
    images = image_set([1, 1, 1, 2], [0, 0, 1, 1], ["query"] + ["gallery"] * 3, torch.tensor(feats))
    assert evaluate_set(images, "paddleclas").plain.mAP == pytest.approx(1 / 3)
    assert evaluate_set(images, "camera").plain.mAP == pytest.approx(1 / 2)
    reranked = [
        evaluate_set(images, name, rerank=dict(k1=2, k2=1)).reranked.mAP
        for name in ("paddleclas", "camera")
    ]
    assert reranked[0] == reranked[1], "PaddleClas removes junk when it re-ranks"


def test_ranks_are_whole_numbers():
    assert CameraProtocol(ranks=[1, 3]).ranks == [1, 3]
    for ranks in ((), (0,), (1.5,), "12", 3):
        with pytest.raises(ValueError, match="CameraProtocol: ranks=.* whole numbers from 1"):
            CameraProtocol(ranks=ranks)
