from helpers.reader_trees import check_records

from mmreid_ext.datasets import ILIDS


def test_records_of_the_published_layout(tmp_path):
    check_records(
        ILIDS,
        tmp_path,
        combined=(5, 2),
        query=[(1, 0), (119, 0)],
        gallery=[(1, 1), (1, 2), (119, 3)],
        protocol="ilids",
    )
