"""Protocols of split lists: sizes, sides, distractors, and means over splits."""

import numpy as np
import pytest
from helpers.protocol_images import (
    clustered_set,
    grid,
    ilids,
    image_set,
    prid,
    viper,
    write_splits,
)

from mmreid_ext.errors import UserError
from mmreid_ext.evaluation import build_protocol, evaluate_set
from mmreid_ext.protocols.split_files import FORMAT


@pytest.mark.parametrize(
    "name, images, queries, gallery",
    [
        ("viper", viper, 316, 316),
        ("prid2011", prid, 100, 649),
        ("grid", grid, 125, 900),
        ("ilids", ilids, 60, None),
    ],
)
def test_shipped_splits_have_the_published_sizes(name, images, queries, gallery):
    images = images()
    splits = list(build_protocol(dict(type=name, gallery_shots=1)).splits(images))
    assert len(splits) == 10
    test_sets = set()
    for trial, split in enumerate(splits):
        assert split.trial == trial and split.query_camids is None
        assert len(split.query) == len(set(split.query)) == queries
        assert len(split.gallery) == len(set(split.gallery)) == (gallery or 60)
        assert not set(split.query) & set(split.gallery)
        pids = images.pids[split.query]
        assert len(set(pids)) == queries, "one image per identity"
        assert set(pids) <= set(images.pids[split.gallery]), "every query has a match"
        test_sets.add(tuple(pids))
    assert len(test_sets) == 10, "ten different splits"


def test_camera_sides_and_distractors():
    images = prid()
    split = next(build_protocol("prid2011").splits(images))
    assert (images.camids[split.query] == 0).all() and images.pids[split.query].max() <= 200
    assert (images.camids[split.gallery] == 1).all()
    gallery_pids = set(images.pids[split.gallery])
    assert set(range(201, 750)) <= gallery_pids and len(gallery_pids) == 649


def test_multi_shot_keeps_all_other_images():
    images = ilids()
    single, multi = (
        next(build_protocol(dict(type="ilids", gallery_shots=shots)).splits(images))
        for shots in (1, None)
    )
    assert single.query.tolist() == multi.query.tolist()
    of_test_ids = np.isin(images.pids, images.pids[single.query])
    assert set(multi.gallery) | set(multi.query) == set(np.flatnonzero(of_test_ids))
    assert set(single.gallery) < set(multi.gallery)


def test_mean_and_population_deviation_over_splits():
    images = viper()
    protocol = build_protocol("viper")
    result = evaluate_set(images, protocol, rerank=None)
    maps = []
    for split in protocol.splits(images):
        rows = np.concatenate([split.query, split.gallery])
        maps.append(evaluate_set(images.take(rows), "no_camera", rerank=None).plain.mAP)
    metrics = result.metrics()
    assert metrics["mAP"] == pytest.approx(100 * np.mean(maps))
    assert metrics["mAP_std"] == pytest.approx(100 * np.std(maps))
    assert metrics["mAP_std"] > 0 and "R1_std" in metrics and result.num_queries == 316


def test_numbering_of_identities_does_not_matter():
    """The published VIPeR counts from 0 with gaps, other copies from 1."""
    shifted, published = viper(), viper(first=0)
    for a, b in zip(
        *(build_protocol("viper").splits(s) for s in (shifted, published)), strict=True
    ):
        assert a.query.tolist() == b.query.tolist() and a.gallery.tolist() == b.gallery.tolist()


def test_incomplete_set_is_an_error_with_counts():
    images = viper()
    with pytest.raises(ValueError, match="defined on 632 identities.*'bench' has 631"):
        list(build_protocol("viper").splits(images.take(images.pids != 5)))


def test_no_camera_rule():
    rows = [(p, 0, role) for p in range(1, 251) for role in ("query", "gallery")]
    result = evaluate_set(clustered_set(rows), "grid", rerank=None)
    assert result.plain.num_valid_queries == len(result.plain.rows)


@pytest.mark.parametrize("entries", [[0, 3], [-1], [10**15]])
@pytest.mark.parametrize("picks", [None, [[[0, 1]] * 2]])
def test_positions_that_are_not_there_are_refused(tmp_path, entries, picks):
    own = {"format": FORMAT, "splits": [entries]}
    if picks is not None:
        own["picks"] = [picks[0][: len(entries)]]
    file = write_splits(tmp_path, own)
    pids = [1, 1, 2, 2, 3, 3]
    images = image_set(pids, [0, 1] * 3, ["query", "gallery"] * 3)
    with pytest.raises(UserError, match=f"3 identities with images on both sides: {entries[-1]}"):
        list(build_protocol(dict(type="split_list", file=str(file))).splits(images))


def test_a_long_name_is_quoted_in_short(tmp_path):
    file = write_splits(tmp_path, [{"query": [f"{'0' * 9999}.png"], "gallery": ["1.png"]}])
    images = image_set([1, 1], [0, 1], ["query", "gallery"])
    with pytest.raises(UserError, match="names image '0{79}…', of which"):
        list(build_protocol(dict(type="split_list", file=str(file))).splits(images))


def test_images_in_no_folder_are_found_by_their_names(tmp_path):
    file = write_splits(tmp_path, [{"query": ["0.png"], "gallery": ["a/1.png", "2.png"]}])
    images = image_set([1, 1, 2], [0, 1, 1], ["query", "gallery", "gallery"])
    [split] = build_protocol(dict(type="split_list", file=str(file))).splits(images)
    assert split.query.tolist() == [0] and split.gallery.tolist() == [1, 2]
