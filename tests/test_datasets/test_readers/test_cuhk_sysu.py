from helpers.reader_trees import check_records

from mmreid_ext.datasets import CUHKSYSU


def test_records_of_the_published_layout(tmp_path):
    check_records(
        CUHKSYSU,
        tmp_path,
        combined=(3, 2),
        train=[(11934, -1), (1, -1), (1, -1)],
    )
