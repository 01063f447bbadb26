"""Pairs of files: found, listed, and each file embedded once."""

import pytest
import torch
from helpers.fake_images import write_images

from mmreid_ext.apis.pairs import compare_pairs, listed_pairs, pairs_of
from mmreid_ext.errors import MissingFileError, UserError


@pytest.fixture
def folder(tmp_path):
    return write_images(tmp_path, "x/1.png", "x/2.png", "y/3.png")


class Inferencer:
    """Embeds the file ``n.png`` at ``n`` times 60 degrees."""

    thresholds = ()

    def __init__(self):
        self.asked = []

    def __call__(self, paths):
        paths = list(paths)
        self.asked += paths
        angles = torch.tensor([float(path[-5]) for path in paths]) * torch.pi / 3
        return torch.stack([angles.cos(), angles.sin()], 1)


def test_two_files_are_a_pair_and_two_folders_all_pairs(folder):
    x1, x2, y3 = (str(folder / name) for name in ("x/1.png", "x/2.png", "y/3.png"))
    assert pairs_of(x1, y3) == [(x1, y3)]
    assert pairs_of(folder / "x", folder / "y") == [(x1, y3), (x2, y3)]
    assert pairs_of(x2, folder / "x") == [(x2, x1), (x2, x2)]
    with pytest.raises(MissingFileError, match="no file .*none.png"):
        pairs_of(x1, folder / "none.png")
    with pytest.raises(UserError, match="has no image"):
        pairs_of(x1, folder)


def test_every_file_is_embedded_once(folder):
    inferencer = Inferencer()
    told = []
    pairs = pairs_of(folder / "x", folder / "x")
    found = compare_pairs(inferencer, pairs, lambda *values: told.append(values))
    assert told == [("images", 0, 2), ("images", 1, 2)]
    assert [one.similarity for one in found] == pytest.approx([1, 0.5, 0.5, 1], abs=1e-6)
    assert len(inferencer.asked) == 2


def test_a_list_names_files_beside_it(folder, tmp_path):
    path = folder / "pairs.csv"
    path.write_text("a;b\nx/1.png;y/3.png\n\nx/2.png;x/1.png\n")
    assert listed_pairs(path) == [
        (str(folder / "x/1.png"), str(folder / "y/3.png")),
        (str(folder / "x/2.png"), str(folder / "x/1.png")),
    ]
    path.write_text("a,b\nx/1.png,y/3.png\nx/1.png,x/9.png\n")
    with pytest.raises(MissingFileError, match=r"pairs.csv, line 3: there is no file .*9.png"):
        listed_pairs(path)
    path.write_text("a,b\n")
    with pytest.raises(UserError, match="lists no pair"):
        listed_pairs(path)
    path.write_text("a,c\nx/1.png,y/3.png\n")
    with pytest.raises(UserError, match="pairs.csv"):
        listed_pairs(path)
    with pytest.raises(MissingFileError, match="No list of pairs"):
        listed_pairs(tmp_path / "none.csv")
