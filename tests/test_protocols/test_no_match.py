"""Queries without a match: the true cause of each, in evaluation and in pictures alike."""

import re

import numpy as np
import pytest
from helpers.no_match_causes import CAUSES
from helpers.protocol_images import table

from mmreid_ext.evaluation import EmbeddingSet, NoValidQueryError, evaluate_set
from mmreid_ext.protocols import CameraProtocol, Labels, match_report, unknown_cameras_message
from mmreid_ext.visualization import rank_queries


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
        "1 query: matches from their own camera",
        "1 query: no known camera",
        "1 query: junk themselves",
        "1 query: identities of query and gallery differ",
    ):
        assert words in report.text


def test_unknown_cameras_among_known_ones_are_counted():
    rows = [(1, 0, "query"), (2, -1, "query"), (1, 1, "gallery"), (1, -1, "gallery")]
    rows += [(2, 1, "gallery")]
    images = table(rows, kind=EmbeddingSet)
    result = evaluate_set(images)
    assert "2 of 5 images have no known camera (1 query, 1 gallery" in result.unknown_cameras
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
