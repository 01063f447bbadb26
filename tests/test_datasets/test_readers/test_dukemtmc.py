from helpers.reader_trees import check_records

from mmreid_ext.datasets import DukeMTMC


def test_records_of_the_published_layout(tmp_path):
    check_records(
        DukeMTMC,
        tmp_path,
        combined=(5, 4),
        train=[(1, 1), (3, 7)],
        query=[(5, 1)],
        gallery=[(4, 0), (5, 4)],
    )
