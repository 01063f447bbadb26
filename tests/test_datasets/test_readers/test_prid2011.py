from helpers.reader_trees import check_records

from mmreid_ext.datasets import PRID2011


def test_records_of_the_published_layout(tmp_path):
    check_records(
        PRID2011,
        tmp_path,
        combined=(4, 2),
        query=[(1, 0), (200, 0)],
        gallery=[(1, 1), (200, 1), (749, 1)],
        protocol="prid2011",
    )
