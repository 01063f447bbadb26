"""Thresholds join the tested checkpoint, or the log says why they don't."""

import logging
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from mmreid_ext.apis import read_deployment_info
from mmreid_ext.checkpoint.usage import KEY, read_thresholds
from mmreid_ext.engine import kept_thresholds
from mmreid_ext.engine.kept_thresholds import keep_thresholds

POINTS = [
    dict(fpr=0.1, similarity=0.4, tpr=0.9, negatives=500, dataset="home"),
    dict(fpr=0.01, similarity=0.5, tpr=0.8, negatives=500, dataset="home"),
    dict(fpr=0.001, similarity=None, tpr=None, negatives=500, dataset="home"),
]


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "w.pth"
    torch.save(
        dict(state_dict={}, meta={KEY: dict(format=1, embedding=dict(flip_test=False))}), path
    )
    return path


@pytest.fixture
def said(monkeypatch):
    texts = []

    def note(text, logger, level):
        assert level == logging.WARNING
        texts.append(text)

    monkeypatch.setattr(kept_thresholds, "print_log", note)
    return texts


def metric(**changes):
    result = SimpleNamespace(operating_points=lambda: POINTS)
    settings = dict(distance="cosine", query_expansion=None, last_results=dict(home=result))
    return SimpleNamespace(**dict(settings, **changes))


def model(flip=False):
    network = nn.Identity()
    network.flip_test = flip
    return network


def test_a_test_set_too_small_for_all_rates_keeps_one_in_ten(checkpoint, said):
    small = [POINTS[0], dict(POINTS[1], similarity=None, tpr=None), POINTS[2]]
    result = SimpleNamespace(operating_points=lambda: small)
    kept = keep_thresholds(checkpoint, metric(last_results=dict(home=result)), model())
    assert [(t.fpr, t.similarity) for t in kept] == [(0.1, 0.4), (0.01, None), (0.001, None)]


def test_the_rates_that_are_kept(checkpoint, said):
    kept = keep_thresholds(checkpoint, metric(), model())
    assert [t.fpr for t in kept] == [0.01, 0.001] and not said
    assert read_thresholds(read_deployment_info(checkpoint)) == kept


@pytest.mark.parametrize(
    "changes, flip, reason",
    [
        (dict(distance="euclidean"), False, "distance='euclidean'"),
        (dict(query_expansion=dict(alpha=3)), False, "queries were expanded"),
        (dict(), True, "flip_test=True in this test, False in the record"),
    ],
)
def test_other_similarities_are_not_kept(checkpoint, said, changes, flip, reason):
    before = checkpoint.read_bytes()
    assert keep_thresholds(checkpoint, metric(**changes), model(flip)) == []
    assert checkpoint.read_bytes() == before
    assert len(said) == 1 and reason in said[0] and str(checkpoint) in said[0]


def test_a_checkpoint_without_record_and_one_that_cannot_be_written(checkpoint, said, monkeypatch):
    def read_only(*_):
        raise OSError("Read-only file system")

    monkeypatch.setattr(kept_thresholds, "store_thresholds", read_only)
    assert keep_thresholds(checkpoint, metric(), model()) == []
    assert "Read-only file system" in said[0]
    torch.save(dict(state_dict={}), checkpoint)
    assert keep_thresholds(checkpoint, metric(), model()) == []
    assert "no record" in said[1]
