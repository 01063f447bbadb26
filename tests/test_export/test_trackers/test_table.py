"""The facts are whole: every demand has its reason, and the tool offers every tracker."""

import pytest
from helpers.tools import load_tool

from mmreid_ext.export.plan import FORMATS, INPUTS
from mmreid_ext.export.trackers import TRACKERS, Tracker


def test_the_tool_offers_them():
    assert tuple(TRACKERS) == load_tool("export").TRACKERS


@pytest.mark.parametrize("needs", TRACKERS.values(), ids=TRACKERS)
def test_every_demand_has_a_reason(needs):
    plain = Tracker("", "", "", (), "normalized")
    demands = ("outside", "size", "enlarges", "name_parts", "name_bans")
    unusual = {name for name in demands if getattr(needs, name) != getattr(plain, name)}
    unusual |= {"input"} if needs.input != "normalized" else set()
    assert unusual <= set(needs.reasons)
    assert all(reason.endswith(".") for reason in needs.reasons.values())


@pytest.mark.parametrize("needs", TRACKERS.values(), ids=TRACKERS)
def test_every_format_is_taken_or_refused_with_a_reason(needs):
    assert set(needs.formats) | set(needs.refused) == set(FORMATS)
    assert not set(needs.formats) & set(needs.refused)
    assert needs.input in INPUTS
    assert not any(part in needs.name for part in needs.name_bans)
    assert not needs.name_parts or any(part in needs.name for part in needs.name_parts)
