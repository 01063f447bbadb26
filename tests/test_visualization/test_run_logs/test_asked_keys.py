"""Words that ask for logged values."""

import pytest

from mmreid_ext.errors import UserError
from mmreid_ext.visualization.run_logs.asked_keys import panels_of

KEYS = ["lr", "loss", "loss_ce", "a/mAP", "b/mAP", "a/rerank/mAP", "gate/mean", "gate/stem/mean"]


def test_whole_names_last_parts_and_patterns():
    found = panels_of(["loss", "mAP", "loss_*", "gate/*/mean", "a/rerank/mAP"], KEYS)
    assert found == {
        "loss": ["loss"],
        "mAP": ["a/mAP", "b/mAP"],
        "loss_*": ["loss_ce"],
        "gate/*/mean": ["gate/stem/mean"],
        "a/rerank/mAP": ["a/rerank/mAP"],
    }


def test_without_words_what_there_is():
    assert list(panels_of(None, KEYS)) == ["loss", "lr", "mAP"]
    assert panels_of(None, ["score"]) == {"all": ["score"]}


def test_an_unknown_word_lists_what_there_is():
    with pytest.raises(UserError, match=r"--keys MAP: .*did you mean '.*mAP'.*there are lr, loss"):
        panels_of(["MAP"], KEYS)
    with pytest.raises(UserError, match="No value was logged"):
        panels_of(None, [])
