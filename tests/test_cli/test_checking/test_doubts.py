"""Embeddings of the pictures of a data set."""

import numpy as np
import pytest
import torch
from helpers.drawn_shop import Shop

from mmreid_ext.cli.checking import doubts
from mmreid_ext.datasets.audit.sources import sets_of_path
from mmreid_ext.datasets.audit.table import tabulate
from mmreid_ext.errors import UserError


class Inferencer:
    """Returns the mean colour, and can't read the pictures whose numbers are given."""

    def __init__(self, unreadable=()):
        self.skipped, self.unreadable, self.asked = {}, unreadable, []

    def __call__(self, pictures, skip):
        assert skip
        self.asked = list(pictures)
        self.skipped = {k: "broken" for k in self.unreadable}
        kept = [k for k in range(len(self.asked)) if k not in self.skipped]
        return torch.eye(64)[kept]


@pytest.fixture
def embed(monkeypatch):
    def build(**options):
        inferencer = Inferencer(**options)
        monkeypatch.setattr(doubts, "ReIDInferencer", lambda checkpoint: inferencer)
        return inferencer, doubts.embedder("x.pth", lambda *_: None)

    return build


def test_rows_are_those_that_could_be_read(embed, tmp_path):
    table = tabulate(sets_of_path(Shop(tmp_path / "shop").write()))
    inferencer, function = embed(unreadable=(1,))
    feats, rows = function(table, np.array([4, 5, 6]))
    assert rows.tolist() == [4, 6] and feats.argmax(1).tolist() == [0, 2]
    assert inferencer.asked == [table.files[row] for row in (4, 5, 6)]


def test_boxes_are_cut_out(embed, tmp_path):
    table = tabulate(sets_of_path(Shop(tmp_path / "shop").write()))
    table.boxes[4] = (1, 2, 10, 20)
    inferencer, function = embed()
    function(table, np.array([4]))
    assert inferencer.asked[0].shape == (20, 10, 3)


def test_a_model_that_reads_nothing_is_an_error(embed, tmp_path):
    table = tabulate(sets_of_path(Shop(tmp_path / "shop").write()))
    _, function = embed(unreadable=(0,))
    with pytest.raises(UserError, match="none of the pictures"):
        function(table, np.array([4]))
