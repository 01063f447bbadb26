"""CUHK03's first protocol: galleries sampled from the other camera, the same at every call."""

import numpy as np
import pytest
import torch
from helpers.protocol_images import angles, image_set

from mmreid_ext.evaluation import evaluate_set
from mmreid_ext.protocols import ImageTable, SingleGalleryShotProtocol, build_protocol


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
    assert build_protocol("cuhk03_classic").describe()["repeats"] == 100
    few = dict(type="cuhk03_classic", repeats=10)
    first, again = (evaluate_set(images, few, rerank=None) for _ in range(2))
    assert first.protocol["repeats"] == 10
    assert first.metrics() == again.metrics()
    assert first.plain.std["mAP"] > 0
    other = evaluate_set(images, dict(few, seed=1), rerank=None)
    assert other.metrics() != first.metrics()


def test_single_gallery_shot_mean_approaches_the_mean_over_all_galleries():
    """Every other-camera image is drawn equally often, so R1 is known in closed form."""
    # The query is at 0 degrees, its gallery images at 10 and 60, those of identity 1 at 20 and 50.
    # Against 20 and against 50 only 10 wins, so R1 = 1/2.
    images = image_set(
        [0, 0, 0, 1, 1], [0, 1, 1, 1, 1], ["query"] + ["gallery"] * 4, angles(0, 10, 60, 20, 50)
    )
    result = evaluate_set(images, dict(type="cuhk03_classic", repeats=100), rerank=None)
    # standard error of a share of 1/2 over 100 samples: 0.05; four of them
    assert result.plain.cmc[0] == pytest.approx(0.5, abs=0.2)


def test_draws_are_those_of_a_promised_stream():
    """Written out: another version of NumPy must draw the same gallery."""
    table = ImageTable(
        [1, 1] + [1] * 8, [0, 0] + [1] * 8, ["query"] * 2 + ["gallery"] * 8, ["s"] * 10, [""] * 10
    )
    drawn = [int(s.gallery[0]) for s in SingleGalleryShotProtocol(repeats=8).splits(table)]
    assert drawn == [8, 3, 7, 4, 6, 6, 8, 7]
