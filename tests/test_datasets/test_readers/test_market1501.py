from helpers.reader_trees import check_records

from mmreid_ext.datasets import Market1501


def test_records_of_the_published_layout(tmp_path):
    check_records(
        Market1501,
        tmp_path,
        combined=(4, 3),
        train=[(2, 0), (7, 5)],
        query=[(1, 1)],
        gallery=[(0, 2), (1, 0)],
    )
