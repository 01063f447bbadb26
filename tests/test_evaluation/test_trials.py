import numpy as np
import pytest

from mmreid_ext.evaluation.retrieval.result import RetrievalResult
from mmreid_ext.evaluation.trials import TrialAverager
from mmreid_ext.protocols import CameraProtocol, Split, SplitListProtocol

NAN = float("nan")


def result(ap, first_hit):
    """The result of a split, by hand: AP and place of the first hit of each query."""
    ap = np.array(ap)
    valid = np.isfinite(ap)
    return RetrievalResult(
        cmc=np.zeros(3), mAP=0.0, mINP=0.0, num_valid_queries=int(valid.sum()), ap=ap, inp=ap / 2,
        first_hit=np.array(first_hit), tpr_at_fpr={0.1: float(np.nanmean(ap))},
        roc=np.array([[0.0, 1.0], [0.0, float(np.nanmean(ap))]]),
    )  # fmt: skip


def averager(protocol, *splits):
    averager = TrialAverager(protocol, max_rank=3)
    for trial, queries, ap, hits in splits:
        averager.add(Split(np.array(queries), np.array([9]), trial), result(ap, hits))
    return averager.scores()


def test_splits_of_a_trial_are_pooled():
    scores = averager(
        CameraProtocol(ranks=(1, 2)), (0, [4, 2], [1.0, 0.5], [1, 2]), (0, [7], [NAN], [0])
    )
    assert scores.mAP == 0.75 and scores.mINP == 0.375 and scores.num_valid_queries == 2
    assert scores.cmc.tolist() == [0.5, 1, 1] and scores.std == {}
    assert scores.rows.tolist() == [2, 4, 7]
    assert scores.ap.tolist() == pytest.approx([0.5, 1, NAN], nan_ok=True)
    assert scores.top1.tolist() == pytest.approx([0, 1, NAN], nan_ok=True)
    assert scores.percent() == {"mAP": 75, "mINP": 37.5, "R1": 50, "R2": 100}


def test_trials_are_averaged_with_their_deviation():
    random = SplitListProtocol("viper", ranks=(1,))
    scores = averager(random, (0, [0, 1], [1.0, 0.5], [1, 2]), (1, [0], [0.25], [3]))
    assert scores.mAP == pytest.approx((0.75 + 0.25) / 2)
    assert scores.std["mAP"] == pytest.approx(0.25) and scores.std["R1"] == pytest.approx(0.25)
    assert scores.percent()["mAP_std"] == pytest.approx(25)
    assert scores.cmc.tolist() == [0.25, 0.5, 1.0]
    assert scores.tpr_at_fpr[0.1] == pytest.approx(0.5)
    assert scores.roc[1, 1] == pytest.approx(0.5)


def test_weights_give_the_mean_of_the_table():
    """Query 0 is the only valid one of the second trial and counts three times as much as 1."""
    random = SplitListProtocol("viper", ranks=(1,))
    scores = averager(
        random, (0, [0, 1], [1.0, 0.5], [1, 2]), (1, [0, 1], [0.25, NAN], [3, 0])
    )  # fmt: skip
    assert scores.weights.tolist() == pytest.approx([0.75, 0.25])
    assert scores.ap.tolist() == pytest.approx([(1 * 0.25 + 0.25 * 0.5) / 0.75, 0.5])
    assert np.average(scores.ap, weights=scores.weights) == pytest.approx(scores.mAP)
    assert np.average(scores.top1, weights=scores.weights) == pytest.approx(scores.cmc[0])
