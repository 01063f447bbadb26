import hmac

import pytest

from mmreid_ext.deploy.app import auth
from mmreid_ext.deploy.app.auth import (
    check_key,
    holds_key,
    host_name,
    is_foreign_page,
    is_local_client,
    is_loopback,
    read_key,
)
from mmreid_ext.errors import MissingFileError, UserError

KEY = "k3y-of-more-than-16-signs"


def test_keys_come_from_a_file_or_the_environment(tmp_path, monkeypatch):
    monkeypatch.delenv("MMREID_API_KEY", raising=False)
    assert read_key(None) is None
    monkeypatch.setenv("MMREID_API_KEY", KEY)
    assert read_key(None) == KEY
    (tmp_path / "key").write_text(f"other-{KEY}\n")
    assert read_key(tmp_path / "key") == f"other-{KEY}"
    with pytest.raises(MissingFileError, match="none"):
        read_key(tmp_path / "none")


@pytest.mark.parametrize(
    "key", ["short", "with a blank, which is no key", "schlüssel-mit-umlauten"]
)
def test_weak_keys_are_refused_and_not_shown(key):
    with pytest.raises(UserError, match="the place") as refused:
        check_key(key, "the place")
    assert key not in str(refused.value)


@pytest.mark.parametrize(
    "header, right",
    [
        (f"Bearer {KEY}", True),
        (f"bearer  {KEY} ", True),
        (f"Basic {KEY}", False),
        (KEY, False),
        (f"Bearer {KEY}x", False),
        (f"Bearer {KEY[:-1]}", False),
        ("Bearer", False),
        ("", False),
        (None, False),
        ("Bearer \xff\ud800", False),
    ],
)
def test_only_the_key_opens(header, right):
    assert holds_key(header, KEY) is right


def test_keys_are_compared_in_constant_time(monkeypatch):
    asked = []
    monkeypatch.setattr(
        auth.hmac, "compare_digest", lambda *both: asked.append(both) or True, raising=True
    )
    assert holds_key("Bearer x", KEY) and asked == [(b"x", KEY.encode())]
    assert hmac is auth.hmac


def test_addresses_of_this_machine():
    assert all(map(is_loopback, ("127.0.0.1", "127.9.9.9", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "10.0.0.1", "no.such.host.invalid")))
    assert all(map(is_local_client, (None, "127.0.0.1", "::1", "::ffff:127.0.0.1")))
    assert not any(map(is_local_client, ("10.0.0.1", "::ffff:10.0.0.1", "testclient", "")))


def test_host_names_lose_their_port():
    assert host_name("LocalHost:8000") == "localhost" and host_name("[::1]:80") == "[::1]"
    assert host_name("127.0.0.1") == "127.0.0.1"


@pytest.mark.parametrize(
    "origin, site, foreign",
    [
        (None, None, False),
        ("http://127.0.0.1:8000", "same-origin", False),
        ("http://127.0.0.1:8000", None, False),
        (None, "none", False),
        ("http://127.0.0.1:9000", None, True),
        ("https://evil.example", "cross-site", True),
        ("null", None, True),
        (None, "cross-site", True),
        (None, "same-site", True),
    ],
)
def test_pages_of_other_sites_are_noticed(origin, site, foreign):
    assert is_foreign_page(origin, site, "127.0.0.1:8000") is foreign
