"""Features are read once for all rankings of a split."""

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes

from mmreid_ext.evaluation import EmbeddingSet, evaluate_set, split_ranking


def random_set(count=60):
    rng = np.random.default_rng(0)
    pids, camids = rng.integers(0, 12, count), rng.integers(0, 3, count)
    roles, names = rng.choice(["query", "gallery"], count), [f"{i}.png" for i in range(count)]
    feats = torch.tensor(rng.normal(size=(count, 4)))
    return EmbeddingSet(feats, pids, camids, roles, ["people"] * count, names)


class CopiesOfAGallery(TorchDispatchMode):
    """Counts copies of a whole gallery."""

    def __init__(self, shape):
        super().__init__()
        self.shape, self.number = shape, 0

    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
        result = function(*arguments, **(keywords or {}))
        held = [x.data_ptr() for x in arguments if isinstance(x, torch.Tensor)]
        if isinstance(result, torch.Tensor) and result.shape == self.shape:
            self.number += result.dtype == torch.float32 and result.data_ptr() not in held
        return result


def copies_of_the_gallery(images, monkeypatch, **options):
    """Copies that the evaluation makes, apart from those within a ranking."""
    ranked = split_ranking.evaluate_retrieval
    copies = CopiesOfAGallery((int((images.roles == "gallery").sum()), 4))
    made = []

    def counted(*arguments, **settings):
        made.append(copies.number)
        with _disable_current_modes():
            return ranked(*arguments, **settings)

    monkeypatch.setattr(split_ranking, "evaluate_retrieval", counted)
    with copies:
        evaluate_set(images, "no_camera", **options)
    assert len(made) == (1 if options["rerank"] is None else 2)
    return made[-1]


@pytest.mark.parametrize("rerank", [None, {}], ids=["plain", "with re-ranking"])
@pytest.mark.parametrize("expansion", [None, {}], ids=["no expansion", "expansion"])
def test_the_gallery_is_copied_once_however_often_it_is_ranked(rerank, expansion, monkeypatch):
    images = random_set()  # the rows of the gallery stand between those of the queries
    options = dict(rerank=rerank, query_expansion=expansion)
    if expansion is not None:  # which normalises a copy of its own
        monkeypatch.setattr(split_ranking, "expand_queries", lambda query, *_, **__: query)
    assert copies_of_the_gallery(images, monkeypatch, **options) == 1


def test_a_gallery_in_one_piece_is_not_copied_at_all(monkeypatch):
    images = random_set()
    images = images.take(np.argsort(images.roles, kind="stable"))
    assert copies_of_the_gallery(images, monkeypatch, rerank={}) == 0


@pytest.mark.parametrize("rerank", [None, {}], ids=["plain", "with re-ranking"])
def test_junk_is_left_out_once_and_at_an_end_without_a_copy(rerank, monkeypatch):
    images = random_set()
    images = images.take(np.argsort(images.roles, kind="stable"))
    number = (images.roles == "gallery").sum()
    images.pids[np.r_[0:5, number - 3 : number]] = -1  # the first and the last of the gallery
    seen = []
    ranked = split_ranking.evaluate_retrieval
    monkeypatch.setattr(
        split_ranking,
        "evaluate_retrieval",
        lambda q, g, *rest, **named: seen.append(g) or ranked(q, g, *rest, **named),
    )
    evaluate_set(images, "no_camera", rerank=rerank)
    for gallery in seen:
        assert gallery.data_ptr() == images.feats[5:].data_ptr()
        assert len(gallery) == number - 8
