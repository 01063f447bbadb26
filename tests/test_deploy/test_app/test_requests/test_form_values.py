import pytest

from mmreid_ext.deploy.app.refusals import Refusal
from mmreid_ext.deploy.app.requests.form_values import box, flag, moment, person, whole

NOON = 1780228800.0


def refused(call, *arguments):
    with pytest.raises(Refusal) as caught:
        call(*arguments)
    return caught.value.status == 400 and caught.value.sentence.endswith(".")


@pytest.mark.parametrize("text", ["0", "-1", "nan", "1.5", "1e3", "101", "9" * 500, "٣", "+1", "a"])
def test_numbers_that_are_none(text):
    assert refused(whole, "topk", text, 10, 100)


def test_whole_numbers():
    assert whole("topk", "100", 10, 100) == 100 and whole("topk", None, 10, 100) == 10
    assert whole("topk", None, 10, 5) == 5


def test_flags():
    assert flag("rerank", "TRUE") and flag("rerank", "1") and not flag("rerank", "off")
    assert not flag("rerank", None) and refused(flag, "rerank", "maybe")


@pytest.mark.parametrize(
    "text", ["1,2,3", "1,2,3,4,5", "a,b,c,d", "nan,0,1,1", "0,0,inf,1", "0,0,1e9,1"]
)
def test_boxes_that_are_none(text):
    assert refused(box, text)


def test_boxes():
    assert box("1, 2.5,3,4") == (1.0, 2.5, 3.0, 4.0) and box(None) is None


def test_times():
    assert moment("since", "2026-05-31T14:00:00+02:00") == NOON and moment("since", None) is None


@pytest.mark.parametrize("text", ["", "nan", "1e300", "yesterday", "2026-13-01", "Z"])
def test_times_that_are_none(text):
    assert refused(moment, "since", text)


@pytest.mark.parametrize(
    "name", ["anna", "Änna Bö", "a/b\\c", "李四", "👩‍👩‍👧", "../x", "نیم‌فاصله"]
)
def test_names_of_people_are_free(name):
    assert person("identity", f" {name} ") == name


@pytest.mark.parametrize(
    "name", ["a\nb", "a\x00", "\x7fx", "x\u202egnp", "a\u2028b", ".", "..", "x" * 201]
)
def test_names_that_cannot_be_shown_or_asked_for(name):
    assert refused(person, "identity", name)


def test_no_name_is_none():
    assert person("identity", None) is None and person("identity", "  ") is None
