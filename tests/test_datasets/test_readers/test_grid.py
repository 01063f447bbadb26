from helpers.reader_trees import check_records

from mmreid_ext.datasets import GRID


def test_records_of_the_published_layout(tmp_path):
    check_records(
        GRID,
        tmp_path,
        combined=(4, 2),
        query=[(1, 0), (250, 1)],
        gallery=[(0, 3), (1, 4), (250, 7)],
        protocol="grid",
    )
