import pytest

from mmreid_ext.evaluation.results.table import text_table

ROWS = [["set", "mAP"], ["market1501", "9.00"], ["a", ""]]


def test_columns_are_as_wide_as_their_widest_cell():
    assert text_table(ROWS).splitlines() == [
        "set         mAP",
        "----------  ----",
        "market1501  9.00",
        "a",
    ]


def test_numbers_to_the_right_and_no_rule():
    assert text_table(ROWS, left=1, ruled=False).splitlines() == [
        "set          mAP",
        "market1501  9.00",
        "a",
    ]


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match="zip"):
        text_table([["a", "b"], ["c"]])
