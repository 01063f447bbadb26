"""The thresholds of a record are read as they were written."""

from mmreid_ext.checkpoint.usage.thresholds import Threshold, read_thresholds


def test_thresholds_are_read_and_may_be_missing():
    entry = dict(fpr=0.01, similarity=0.53, tpr=0.91, negatives=12345, dataset="name")
    small = dict(entry, fpr=0.0001, similarity=None, tpr=None)
    assert read_thresholds(dict(thresholds=[entry, small])) == [
        Threshold(0.01, 0.53, 0.91, 12345, "name"),
        Threshold(0.0001, None, None, 12345, "name"),
    ]
    assert read_thresholds({}) == read_thresholds(dict(thresholds=None)) == []
