"""The choice of the first ranks, and checks of what a report is given."""

import numpy as np
import pytest
import torch

from mmreid_ext.visualization import rank_queries, save_ranked_list_html, save_ranked_list_png
from mmreid_ext.visualization.ranked_lists import check_paths, top_matches


def test_top_matches_keeps_ties_at_the_last_place_honest():
    scores = torch.tensor([[0.9, 0.5, 0.5, 0.5]], dtype=torch.float64)
    matches = torch.tensor([[False, True, False, False]])
    columns, found = top_matches(scores, torch.zeros_like(matches), matches, 3)
    assert columns.tolist() == [[0, 2, 3]] and found.tolist() == [[0.9, 0.5, 0.5]]


def test_a_list_that_is_too_short_ends_in_nothing():
    scores = torch.tensor([[0.1, 0.9, 0.5]], dtype=torch.float64)
    removed = torch.tensor([[False, True, False]])
    columns, found = top_matches(scores, removed, torch.zeros_like(removed), 4)
    assert columns.tolist() == [[2, 0, -1, -1]]
    assert found[0, :2].tolist() == [0.5, 0.1] and np.isnan(found[0, 2:]).all()


def test_a_match_within_the_tie_comes_last():
    scores = torch.tensor([[0.5 + 1e-3, 0.5, 0.3]], dtype=torch.float64)
    matches = torch.tensor([[True, False, False]])
    none = torch.zeros_like(matches)
    assert top_matches(scores, none, matches, 2)[0].tolist() == [[0, 1]]
    assert top_matches(scores, none, matches, 2, ties=0.01)[0].tolist() == [[1, 0]]


@pytest.mark.parametrize("side", [0, 1], ids=["query", "gallery"])
def test_both_reports_refuse_paths_that_name_other_images(people, tmp_path, side):
    ranked = rank_queries(*people.arrays)
    paths = [people.query_paths, people.gallery_paths]
    check_paths(ranked, *paths)
    count = len(paths[side])
    paths[side] = paths[side][1:]
    name = ("query_paths", "gallery_paths")[side]
    for save in (save_ranked_list_html, save_ranked_list_png):
        with pytest.raises(ValueError, match=f"{name} has {count - 1} entries for {count} "):
            save(tmp_path / "report.png", ranked, *paths)
    assert not (tmp_path / "report.png").exists()


def test_a_person_has_the_users_name_or_the_number(people):
    ranked = rank_queries(*people.arrays, topk=3)
    assert ranked.topk == 3 and ranked.person(np.int64(4)) == "pid 4"
    named = type(ranked)(**{**vars(ranked), "pid_names": {4: "lea"}})
    assert named.person(np.int64(4)) == "lea" and named.person(5) == "pid 5"
