"""Inputs are never changed, and answers depend neither on their type nor on the memory budget.

Over every public name of ``evaluation``, ``models.losses`` and ``visualization``: one without an
entry here makes a test fail.
"""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.odd_arrays import exact_values, forms, in_form, unchanged

import mmreid_ext.evaluation as evaluation
import mmreid_ext.models.losses as losses
import mmreid_ext.visualization as visualization
from mmreid_ext.evaluation.retrieval.embedding_metrics import (
    embedding_metrics,
    normalized_mutual_information,
)

NUM_QUERIES, NUM_GALLERY, DIM = 6, 18, 5
RERANK = dict(k1=5, k2=3, lambda_value=0.3)
QUERY_PIDS = np.array([0, 0, 1, 2, 3, 3])
GALLERY_PIDS = np.array([0, 1, 0, 2, 3, 4, 1, 2, 3, 0, 1, -1, 2, 3, 4, 0, 1, 3])
QUERY_CAMIDS = np.array([0, 1, 0, 1, 2, 0])
GALLERY_CAMIDS = np.array([1, 0, 1, 0, 1, 0, 1, 2, 2, 1, 0, 0, 1, 1, 2, 2, 2, 2])
LABELS = (QUERY_PIDS, GALLERY_PIDS, QUERY_CAMIDS, GALLERY_CAMIDS)
QUERY, GALLERY = exact_values(NUM_QUERIES, DIM, 1), exact_values(NUM_GALLERY, DIM, 2)
GALLERY[6:8] = QUERY[:2]
TINY, HUGE = 1, 2**34
FORMS = list(forms())
# a budget of one byte takes one number at a time: not for every form
BUDGETED_FORMS = ["torch-float64-plain", "numpy-float64-strided", "torch-float32-plain"] + [
    "torch-float16-plain",
    "torch-bfloat16-plain",
]


def images(query, gallery):
    join = torch.cat if isinstance(query, torch.Tensor) else np.concatenate
    roles = ["query"] * NUM_QUERIES + ["gallery"] * NUM_GALLERY
    return evaluation.EmbeddingSet(
        join([query, gallery]),
        np.concatenate(LABELS[:2]),
        np.concatenate(LABELS[2:]),
        roles,
        ["people"] * len(roles),
        [f"{row}.png" for row in range(len(roles))],
    )


def set_result(query, gallery):
    held = images(query, gallery)
    result = evaluation.evaluate_set(held, "in_shop", query_expansion=dict(num_neighbors=2))
    return result.metrics()


def metric(query, gallery):
    metric = evaluation.ReIDMetric(rerank=dict(k1=5))
    rows = [(x, "query") for x in query] + [(x, "gallery") for x in gallery]
    pids, camids = np.concatenate(LABELS[:2]), np.concatenate(LABELS[2:])
    for number, (feat, role) in enumerate(rows):
        feat = feat if isinstance(feat, torch.Tensor) else torch.tensor(np.array(feat, float))
        known = dict(pid=int(pids[number]), camid=int(camids[number]), role=role, dataset="people")
        metric.process(None, [dict(pred_embedding=feat, sample_idx=number, **known)])
    return metric.evaluate(len(rows))


def saved(query, gallery):
    with tempfile.TemporaryDirectory() as folder:
        path = evaluation.save_features(Path(folder) / "feats.npz", images(query, gallery))
        return evaluation.load_features(path)[0].feats


def figures(result, *left_out):
    return {k: v for k, v in dataclasses.asdict(result).items() if k not in left_out}


# name -> what is called with (query, gallery); where a budget is taken, as third argument
EVALUATION = {
    "EmbeddingSet": lambda q, g: images(q, g).feats,
    "evaluate_retrieval": lambda q, g, b=None: figures(
        evaluation.evaluate_retrieval(q, g, *LABELS, memory_budget=b)
    ),
    "evaluate_retrieval euclidean": lambda q, g, b=None: figures(
        evaluation.evaluate_retrieval(q, g, *LABELS, distance="euclidean", memory_budget=b)
    ),
    "evaluate_retrieval re-ranked": lambda q, g, b=None: figures(
        evaluation.evaluate_retrieval(q, g, *LABELS, rerank=RERANK, memory_budget=b)
    ),
    "evaluate_retrieval paddleclas": lambda q, g, b=None: figures(
        evaluation.evaluate_retrieval(q, g, *LABELS, counting="paddleclas", memory_budget=b)
    ),
    "evaluate_set": set_result,
    "expand_queries": lambda q, g, b=None: evaluation.expand_queries(
        q, g, num_neighbors=3, alpha=1.5, memory_budget=b
    ),
    "k_reciprocal_rerank": lambda q, g, b=None: evaluation.k_reciprocal_rerank(
        q, g, **RERANK, memory_budget=b
    ),
    "ReIDMetric": metric,
    "save_features": saved,
    "load_features": saved,
    "embedding_metrics": lambda q, g: embedding_metrics(g, GALLERY_PIDS),
    "embedding_metrics euclidean": lambda q, g: embedding_metrics(
        g, GALLERY_PIDS, GALLERY_CAMIDS == 1, distance="euclidean", nmi=False
    ),
    "normalized_mutual_information": lambda q, g: normalized_mutual_information(g, GALLERY_PIDS),
}
NO_FEATURES = {
    *("EvaluationProtocol", "NoValidQueryError", "RetrievalResult", "SetResult", "build_protocol"),
    *("format_table", "read_results", "results_document", "write_results"),
}


def ranked(q, g, distance="cosine"):
    lists = visualization.rank_queries(q, g, *LABELS, distance=distance, topk=5, rerank=RERANK)
    return figures(lists)


def lines(figure):
    return [np.asarray(line.get_xydata(), float) for line in figure.axes[0].lines]


def points(figure):
    return [np.asarray(dots.get_offsets(), float) for dots in figure.axes[0].collections]


def curve(x):
    """A rising curve in [0, 1] out of features, in their own library and type."""
    flat = x.reshape(-1)[:8]
    return abs(flat) / 4


VISUALIZATION = {
    "pair_histogram": lambda q, g: figures(visualization.pair_histogram(q, g, *LABELS)),
    "plot_distance_histogram": lambda q, g: [
        np.asarray(patch.get_data().values)
        for patch in visualization.plot_distance_histogram(
            visualization.pair_histogram(q, g, *LABELS, distance="euclidean")
        )
        .axes[0]
        .patches
    ],
    "plot_cmc": lambda q, g: lines(visualization.plot_cmc({"a": curve(q)})),
    "plot_roc": lambda q, g: lines(visualization.plot_roc({"a": (curve(q), curve(g))})),
    "rank_queries": ranked,
    "rank_queries euclidean": lambda q, g: ranked(q, g, "euclidean"),
    "tsne": lambda q, g: visualization.tsne(g),
    "plot_tsne": lambda q, g: points(visualization.plot_tsne(g, GALLERY_PIDS)),
}
DRAWN_FROM_RESULTS = {  # what they get holds no array of the caller
    *("PairHistogram", "RankedList", "RankedLists"),
    *("save_ranked_list_html", "save_ranked_list_png"),
}


def same(found, expected, exact=True):
    """Compare results of any nesting."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for key in expected:
            same(found[key], expected[key], exact)
    elif isinstance(expected, (list, tuple)):
        assert len(found) == len(expected)
        for pair in zip(found, expected, strict=True):
            same(*pair, exact)
    elif isinstance(expected, (str, type(None))):
        assert found == expected
    else:
        found, expected = (np.asarray(torch.as_tensor(x).detach()) for x in (found, expected))
        rtol, atol = (1e-12, 1e-9) if exact else (1e-5, 5e-5)
        np.testing.assert_allclose(found, expected, rtol, atol)


SLOW_TO_DRAW = {"tsne", "plot_tsne"}
CASES = EVALUATION | VISUALIZATION


@pytest.mark.parametrize("name", sorted(CASES))
def test_every_form_gives_the_answer_of_its_float64_widening(name):
    expected = CASES[name](torch.from_numpy(QUERY.copy()), torch.from_numpy(GALLERY.copy()))
    chosen = BUDGETED_FORMS if name in SLOW_TO_DRAW else FORMS
    for form in chosen:
        query, gallery = in_form(QUERY, form), in_form(GALLERY, form)
        with unchanged(query, gallery, *LABELS):
            found = CASES[name](query, gallery)
        same(found, expected)


WITH_BUDGET = [name for name, case in CASES.items() if case.__defaults__ == (None,)]


@pytest.mark.parametrize("budget", [TINY, HUGE], ids=["tiny", "huge"])
@pytest.mark.parametrize("name", WITH_BUDGET)
def test_no_budget_changes_the_answer_or_the_inputs(name, budget):
    expected = CASES[name](QUERY.copy(), GALLERY.copy())
    for form in BUDGETED_FORMS:
        query, gallery = in_form(QUERY, form), in_form(GALLERY, form)
        with unchanged(query, gallery, *LABELS):
            found = CASES[name](query, gallery, budget)
        same(found, expected)


@pytest.mark.parametrize("name", WITH_BUDGET)
def test_a_default_type_of_float64_changes_nothing(name):
    expected = CASES[name](QUERY.copy(), GALLERY.copy())
    torch.set_default_dtype(torch.float64)
    try:
        for form in ("torch-float32-plain", "numpy-float64-plain"):
            same(CASES[name](in_form(QUERY, form), in_form(GALLERY, form)), expected)
    finally:
        torch.set_default_dtype(torch.float32)


PIDS = torch.tensor([0, 0, 1, 1, 2, 2])
DOMAINS = torch.tensor([0, 0, 0, 0, 1, 1])
LOSSES = {
    "ArcMarginLinear": lambda x: losses.ArcMarginLinear(DIM, 3, generator=seeded())(x, PIDS),
    "BatchHardTripletLoss": lambda x: losses.BatchHardTripletLoss()(x, PIDS),
    "CenterLoss": lambda x: losses.CenterLoss(3, DIM, generator=seeded())(x, PIDS),
    "CircleLoss": lambda x: losses.CircleLoss()(x, PIDS),
    "ContrastiveLoss": lambda x: losses.ContrastiveLoss()(x, PIDS, x, PIDS),
    "CrossBatchMemory": lambda x: losses.CrossBatchMemory(
        losses.ContrastiveLoss(), 12, DIM, start_iter=0
    )(x, PIDS),
    "DomainScatterLoss": lambda x: losses.DomainScatterLoss()(x, DOMAINS),
    "DomainShuffleLoss": lambda x: losses.DomainShuffleLoss()(x, PIDS, DOMAINS),
    "EMLLoss": lambda x: losses.EMLLoss()(x, PIDS),
    "LabelSmoothingLoss": lambda x: losses.LabelSmoothingLoss()(x, PIDS),
    "MarginSampleMiningLoss": lambda x: losses.MarginSampleMiningLoss()(x, PIDS),
    "MultiSimilarityLoss": lambda x: losses.MultiSimilarityLoss()(x, PIDS),
    "NPairsLoss": lambda x: losses.NPairsLoss()(x, PIDS),
    "TripletMarginLoss": lambda x: losses.TripletMarginLoss()(x, PIDS),
}
BASE_CLASSES = {"BatchLoss", "PairLoss"}
FEATS = exact_values(len(PIDS), DIM, 3)
TENSOR_FORMS = [form for form in FORMS if form.startswith("torch")]


def seeded():
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_losses_keep_their_inputs_and_widen_narrow_types(name):
    expected = LOSSES[name](torch.from_numpy(FEATS.copy()))
    wide = LOSSES[name](torch.from_numpy(FEATS.copy()).float())
    for form in TENSOR_FORMS:
        feats = in_form(FEATS, form)
        with unchanged(feats, PIDS, DOMAINS):
            found = LOSSES[name](feats)
            parts = found.values() if isinstance(found, dict) else [found]
            for part in parts:
                if part.requires_grad and feats.requires_grad:
                    torch.autograd.grad(part.sum(), feats, retain_graph=True, allow_unused=True)
        # float32 rounds within the loss; 16 bits are widened first, so they lose nothing more
        same(found, expected, exact=False)
        if "float16-plain" in form:
            same(found, wide)


def test_every_public_name_has_an_entry():
    named = {name.split()[0] for name in EVALUATION}
    assert set(evaluation.__all__) <= named | NO_FEATURES
    assert set(evaluation.__all__) >= NO_FEATURES
    named = {name.split()[0] for name in VISUALIZATION}
    assert set(visualization.__all__) == named | DRAWN_FROM_RESULTS
    assert set(losses.__all__) == set(LOSSES) | BASE_CLASSES
