import json

import numpy as np
import pytest
import torch

from mmreid_ext.evaluation import EmbeddingSet, build_protocol, evaluate_set
from mmreid_ext.protocols import CameraProtocol, SingleGalleryShotProtocol


def image_set(pids, camids, roles, feats=None, name="people"):
    count = len(pids)
    if feats is None:
        feats = torch.randn(count, 4, generator=torch.Generator().manual_seed(0))
    names = [f"{i}.png" for i in range(count)]
    return EmbeddingSet(feats, pids, camids, roles, [name] * count, names)


def angles(*degrees):
    radians = np.radians(degrees)
    return torch.tensor(np.stack([np.cos(radians), np.sin(radians)], axis=1))


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


def single_shot_images():
    rng = np.random.default_rng(0)
    pids = np.repeat(np.arange(10), 8)
    camids = np.tile([0, 0, 0, 0, 1, 1, 1, 1], 10)
    roles = np.tile(["query", "gallery", "gallery", "gallery"], 20)
    centres = rng.normal(size=(10, 6))
    feats = centres[pids] + rng.normal(size=(80, 6))
    return image_set(pids, camids, roles, torch.tensor(feats))


def test_single_gallery_shot_draws_one_image_per_identity_from_the_other_camera():
    images = single_shot_images()
    splits = list(SingleGalleryShotProtocol(repeats=3).splits(images))
    assert [split.trial for split in splits] == [0, 0, 1, 1, 2, 2]
    for split in splits:
        (camera,) = np.unique(images.camids[split.query])
        assert (images.camids[split.gallery] == 1 - camera).all()
        assert images.pids[split.gallery].tolist() == list(range(10))
        assert (images.roles[split.gallery] == "gallery").all()
    assert any((splits[0].gallery != splits[i].gallery).any() for i in (2, 4))


def test_single_gallery_shot_gives_the_same_answer_every_time():
    images = single_shot_images()
    first, again = (evaluate_set(images, "cuhk03_classic", rerank=None) for _ in range(2))
    assert first.protocol["repeats"] == 100
    assert first.metrics() == again.metrics()
    assert first.plain.std["mAP"] > 0
    other = evaluate_set(images, dict(type="cuhk03_classic", seed=1), rerank=None)
    assert other.metrics() != first.metrics()


def test_single_gallery_shot_mean_approaches_the_mean_over_all_galleries():
    """Every other-camera image is drawn equally often, so R1 is known in closed form."""
    # The query is at 0 degrees, its gallery images at 10 and 60, those of identity 1 at 20 and 50.
    # Against 20 and against 50 only 10 wins, so R1 = 1/2.
    images = image_set(
        [0, 0, 0, 1, 1], [0, 1, 1, 1, 1], ["query"] + ["gallery"] * 4, angles(0, 10, 60, 20, 50)
    )
    result = evaluate_set(images, dict(type="cuhk03_classic", repeats=400), rerank=None)
    # standard error of a share of 1/2 over 400 draws: 0.025; four of them
    assert result.plain.cmc[0] == pytest.approx(0.5, abs=0.1)


def test_every_protocol_survives_json():
    for name in ("camera", "no_camera", "paddleclas", "sop", "in_shop", "cuhk03_classic", "viper"):
        protocol = build_protocol(name)
        assert build_protocol(json.loads(json.dumps(protocol.describe()))) == protocol


def test_unknown_protocol_lists_the_known_ones():
    with pytest.raises(ValueError, match="'market'.*camera, no_camera"):
        build_protocol("market")


def test_paddleclas_counting_keeps_junk_at_similarity_zero():
    """algorithms of PaddleClas: junk .9 -> 0, true match -.1, others .3: rank 3 instead of 2."""
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
