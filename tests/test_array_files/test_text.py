"""Numbers that are no letters are found in arrays of text."""

import numpy as np
import pytest

from mmreid_ext.array_files import text
from mmreid_ext.array_files.text import impossible_text


@pytest.mark.parametrize(
    "code", [0xD800, 0xDBFF, 0xDC00, 0xDC7F, 0xDD00, 0xDFFF, 0x110000, 2**32 - 1]
)
@pytest.mark.parametrize("order", "<>")
def test_what_is_no_letter_is_found(monkeypatch, code, order):
    monkeypatch.setattr(text, "_AT_ONCE", 4)
    codes = np.full((5, 2), ord("a"), dtype=f"{order}u4")
    assert impossible_text(codes.view(f"{order}U2")[:, 0]) is None
    codes[3, 1] = code
    assert impossible_text(codes.view(f"{order}U2")[:, 0]) == 3


def test_what_can_be_written_is_text():
    for some in (["a", "\U0010ffff", "\udc80\udcff"], ["\ud7ff\ue000"], [""], []):
        assert impossible_text(np.array(some, dtype=np.str_)) is None
    assert impossible_text(np.array([b"\xff"])) is None
    assert impossible_text(np.broadcast_to(np.array("a" * 1000), (10**9,))) is None
