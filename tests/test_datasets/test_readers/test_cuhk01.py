from helpers.reader_trees import check_records

from mmreid_ext.datasets import CUHK01


def test_records_of_the_published_layout(tmp_path):
    check_records(
        CUHK01,
        tmp_path,
        combined=(6, 2),
        query=[(1, 0), (1, 0), (971, 0)],
        gallery=[(1, 1), (1, 1), (971, 1)],
    )
