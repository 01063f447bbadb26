"""Moments are read and written in UTC, by one rule for tools and service."""

from datetime import datetime, timedelta, timezone

import pytest

from mmreid_ext.moments import iso, read_moment, unix_seconds

NOON = 1780228800.0  # 2026-05-31 12:00 UTC


@pytest.mark.parametrize(
    "text, seconds",
    [
        ("1780228800", NOON),
        ("1780228800.5", NOON + 0.5),
        ("2026-05-31T12:00", NOON),
        ("2026-05-31T12:00:00", NOON),
        ("2026-05-31T12:00:00Z", NOON),
        (" 2026-05-31T12:00:00z ", NOON),
        ("2026-05-31T14:00+02:00", NOON),
        ("2026-05-31 12:00:00.500", NOON + 0.5),
        ("2026-05-31", NOON - 43200),
        ("-1", -1.0),
    ],
)
def test_ways_to_write_a_moment(text, seconds):
    assert read_moment(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", " ", "Z", "noon", "nan", "inf", "1e300", "2026-13-01", "0000-01-01", "2026Z-05-31"],
)
def test_what_is_no_moment(text):
    assert read_moment(text) is None


def test_moments_are_written_in_utc():
    assert iso(NOON) == "2026-05-31T12:00:00Z" and iso(NOON + 0.25) == "2026-05-31T12:00:00.250Z"
    assert iso(-1.0) == "1969-12-31T23:59:59Z"
    assert iso(None) is None and iso(1e300) is None
    assert read_moment(iso(NOON)) == NOON


def test_a_moment_without_a_zone_is_utc():
    plain = datetime(2026, 5, 31, 12)
    assert unix_seconds(plain) == NOON
    assert unix_seconds(plain.replace(tzinfo=timezone(timedelta(hours=2)))) == NOON - 7200
