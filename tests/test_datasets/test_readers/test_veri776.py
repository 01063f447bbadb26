from helpers.reader_trees import check_records

from mmreid_ext.datasets import VeRi776


def test_records_of_the_published_layout(tmp_path):
    check_records(
        VeRi776,
        tmp_path,
        combined=(4, 3),
        train=[(1, 0), (4, 19)],
        query=[(2, 1)],
        gallery=[(2, 2)],
    )
