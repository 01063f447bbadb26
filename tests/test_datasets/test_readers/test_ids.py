import pytest

from mmreid_ext.datasets.readers.ids import is_none, normalized, number_ids, whole_number
from mmreid_ext.errors import UserError


@pytest.mark.parametrize("text", ["", " ", "none", "None", "NULL", "nan", "-1"])
def test_words_for_no_id(text):
    assert is_none(text) and number_ids([text, "4"], "pid") == {"4": 4}


def test_whole_numbers_keep_their_values():
    assert number_ids(["7", " 3", "7", "0"], "pid") == {"0": 0, "3": 3, "7": 7}
    assert number_ids([str(2**63 - 1)], "pid") == {str(2**63 - 1): 2**63 - 1}


def test_one_name_makes_all_of_them_names_in_sorted_order():
    assert number_ids(["10", "bob", "9"], "pid") == {"10": 0, "9": 1, "bob": 2}
    assert number_ids([str(2**63)], "pid") == {str(2**63): 0}  # too large for int64
    assert number_ids(["9" * 5000], "pid") == {"9" * 5000: 0}  # too long for int()


def test_two_unicode_forms_of_one_name_are_one():
    assert normalized(" Jo\u0308rg ") == "J\u00f6rg"
    assert number_ids(["Jo\u0308rg", "J\u00f6rg"], "pid") == {"J\u00f6rg": 0}


@pytest.mark.parametrize("other", ["007", "+7", "7.0", "7."])
def test_one_number_in_two_spellings_is_refused(other):
    with pytest.raises(UserError, match="^list, pid: .* may be one id or two"):
        number_ids(["7", other], "list, pid")


def test_whole_numbers_of_int64():
    assert [whole_number(t) for t in ("0", "007", str(2**63 - 1))] == [0, 7, 2**63 - 1]
    assert whole_number("0" * 5000 + "7") == 7
    for text in ("", "-1", "+1", "1.0", "x", "²", "٣", str(2**63), "9" * 5000):
        assert whole_number(text) is None


def test_long_names_are_quoted_in_short():
    name = "7" * 3000
    with pytest.raises(UserError, match="…' may be one id") as error:
        number_ids([name, "0" + name], "list, pid")
    assert len(str(error.value)) < 400
