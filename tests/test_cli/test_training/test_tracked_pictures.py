"""Pictures of a validation for trackers."""

import numpy as np
import torch
from PIL import Image

from mmreid_ext.cli.training import tracked_pictures
from mmreid_ext.cli.training.tracked_pictures import PROJECTED, draw_ranked_list, projector_input
from mmreid_ext.evaluation import EmbeddingSet
from mmreid_ext.protocols import build_protocol


def images_of(tmp_path, count, camids):
    path = tmp_path / "person.png"
    Image.new("RGB", (8, 16), "red").save(path)
    feats = torch.randn(count, 4, generator=torch.Generator().manual_seed(0))
    roles = ["query", "gallery"] * (count // 2)
    pids = np.arange(count) // 4
    return EmbeddingSet(feats, pids, np.array(camids), roles, ["m"] * count, [str(path)] * count)


def test_a_ranked_list(tmp_path):
    images = images_of(tmp_path, 16, [0, 1, 1, 0] * 4)
    path = tmp_path / "new" / "list.png"
    assert draw_ranked_list(path, "m", images, build_protocol("camera"), "cosine", {0: "lea"})
    with Image.open(path) as picture:
        assert picture.width > 500


def test_no_query_that_can_be_answered_is_no_error(tmp_path):
    images = images_of(tmp_path, 16, [0] * 16)
    path = tmp_path / "list.png"
    assert not draw_ranked_list(path, "m", images, build_protocol("camera"), "cosine", {})
    assert not path.exists()


def test_the_projector_gets_squares_and_not_too_many(tmp_path):
    images = images_of(tmp_path, PROJECTED + 200, [0] * (PROJECTED + 200))
    feats, labels, pictures = projector_input(images)
    assert len(feats) == len(labels) == len(pictures) == PROJECTED
    assert pictures.shape[2] == pictures.shape[3] and 0 <= pictures.min() <= pictures.max() <= 1
    assert labels[0] == "0 query"
    assert torch.equal(feats[-1], images.feats[-1])


def test_pooled_queries_ask_with_their_mean(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(tracked_pictures, "QUERIES", 2)
    real = tracked_pictures.rank_queries
    monkeypatch.setattr(
        tracked_pictures, "rank_queries", lambda q, *a, **k: (asked.append(q), real(q, *a, **k))[1]
    )
    images = images_of(tmp_path, 16, [0, 1, 0, 1] * 4)  # two queries each, in one camera
    protocol = build_protocol("multi_query")
    assert draw_ranked_list(tmp_path / "list.png", "m", images, protocol, "euclidean", {})
    means = [images.feats[[4 * person, 4 * person + 2]].mean(0) for person in range(4)]
    assert all(any(torch.allclose(row, mean) for mean in means) for row in asked[0])
