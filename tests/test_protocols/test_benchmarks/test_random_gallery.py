"""VehicleID's protocol against a slow loop over draws, queries and gallery."""

import numpy as np
import pytest
import torch
from helpers.protocol_images import angles, image_set

from mmreid_ext.evaluation import evaluate_set
from mmreid_ext.protocols import ImageTable, RandomGalleryProtocol, build_protocol

PIDS = [3, 3, 3, 5, 5, 8, 9, 9, 9, 9]


def vehicles(seed=0):
    feats = torch.randn(len(PIDS), 3, generator=torch.Generator().manual_seed(seed))
    roles = ["gallery", "query", "query", "gallery", "query", "gallery"] + ["gallery"] * 4
    return image_set(PIDS, [-1] * len(PIDS), roles, feats)


def test_every_image_is_a_query_or_the_one_of_its_identity():
    images = vehicles()
    splits = list(build_protocol("vehicleid").splits(images))
    assert [split.trial for split in splits] == list(range(10))
    for split in splits:
        assert images.pids[split.gallery].tolist() == [3, 5, 8, 9]
        assert sorted([*split.query, *split.gallery]) == list(range(len(PIDS)))
        assert split.query_camids is None
    assert len({tuple(split.gallery) for split in splits}) > 5


def test_scores_are_the_means_of_a_slow_loop():
    images = vehicles()
    result = evaluate_set(images, "vehicleid", rerank=None)
    feats = torch.nn.functional.normalize(images.feats.double()).numpy()
    r1, mean_ap = [], []
    for split in RandomGalleryProtocol().splits(images):
        ranks = []
        for query in split.query:
            score = {g: float(feats[query] @ feats[g]) for g in split.gallery}
            (own,) = (g for g in split.gallery if PIDS[g] == PIDS[query])
            ranks.append(1 + sum(score[g] >= score[own] for g in split.gallery if g != own))
        r1.append(np.mean([rank == 1 for rank in ranks]))
        mean_ap.append(np.mean([1 / rank for rank in ranks]))
    assert result.plain.cmc[0] == pytest.approx(np.mean(r1), rel=1e-12)
    assert result.plain.mAP == pytest.approx(np.mean(mean_ap), rel=1e-12)
    assert result.plain.std["R1"] == pytest.approx(np.std(r1), rel=1e-12)
    assert result.num_queries == 6 and result.num_gallery == 4
    assert result.plain.mINP == result.plain.mAP  # one match each


def test_a_vehicle_of_one_image_and_junk():
    images = image_set([1, 1, 2, -1], [-1] * 4, ["query"] * 4, angles(0, 10, 5, 1))
    for split in RandomGalleryProtocol(repeats=3).splits(images):
        assert set(split.gallery) - {0, 1} == {2} and len(split.gallery) == 2
        assert set(split.query) <= {0, 1} and len(split.query) == 1


def test_draws_are_those_of_a_promised_stream():
    """Written out: another version of NumPy must draw the same gallery."""
    table = ImageTable([1] * 9, [-1] * 9, ["query"] * 9, ["s"] * 9, [""] * 9)
    drawn = [int(s.gallery[0]) for s in RandomGalleryProtocol(repeats=6).splits(table)]
    assert drawn == [7, 3, 5, 2, 5, 2]


@pytest.mark.parametrize("settings", [dict(repeats=0), dict(repeats=2.5), dict(seed=-1)])
def test_settings_are_checked(settings):
    with pytest.raises(ValueError, match=f"{next(iter(settings))}="):
        RandomGalleryProtocol(**settings)
