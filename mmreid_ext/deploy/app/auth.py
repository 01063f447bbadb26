"""Know who may ask: a key in common, or nobody but this machine."""

from __future__ import annotations

import hmac
import ipaddress
import os
import re
import socket
from pathlib import Path

from mmreid_ext.errors import MissingFileError, UserError

KEY_VARIABLE = "MMREID_API_KEY"
"""Environment variable that holds the key."""

SHORTEST_KEY = 16
"""Characters."""

LOCAL_NAMES = frozenset(("localhost", "127.0.0.1", "[::1]"))
"""What a browser on this machine calls it."""

_KEY = re.compile(r"[\x21-\x7e]+")


def check_key(key: str, place: str) -> str:
    """Return a key that is long enough and that a header can hold.

    Args:
        key: The key; no message shows it.
        place: Where it was given.

    Raises:
        UserError: If it isn't.
    """
    if len(key) < SHORTEST_KEY or not _KEY.fullmatch(key):
        raise UserError(
            f"The API key of {place} must have at least {SHORTEST_KEY} characters, ASCII without "
            "blanks; `python -c 'import secrets; print(secrets.token_urlsafe(32))'` makes one."
        )
    return key


def read_key(file: Path | None) -> str | None:
    """Return the key of a file, else that of the environment, else None.

    Args:
        file: Holds the key on its only line.

    Raises:
        UserError: If there is no such file, or the key is too short.
    """
    if file is None:
        key = os.environ.get(KEY_VARIABLE)
        return None if not key else check_key(key, KEY_VARIABLE)
    if not file.is_file():
        raise MissingFileError(f"API key file {str(file)!r} is not there; make it.")
    with file.open("rb") as opened:
        content = opened.read(4096)
    return check_key(content.decode("latin-1").strip(), str(file))


def holds_key(header: str | None, key: str) -> bool:
    """Return whether a header ``Authorization`` is ``Bearer KEY``; takes as long for any key."""
    kind, _, given = (header or "").partition(" ")
    same = hmac.compare_digest(given.strip().encode("utf-8", "replace"), key.encode())
    return same and kind.lower() == "bearer"


def is_loopback(host: str) -> bool:
    """Return whether only programs of this machine reach an address or a name."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host, None)
    except OSError:
        return False
    return bool(found) and all(is_loopback(str(entry[4][0])) for entry in found)


def is_local_client(address: str | None) -> bool:
    """Return whether a request comes from this machine; by a Unix socket it has no address."""
    if address is None:
        return True
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    return (mapped or ip).is_loopback


def host_name(host: str) -> str:
    """Return the header ``Host`` without its port, in lower case."""
    return re.sub(r":\d*$", "", host).lower()


def is_foreign_page(origin: str | None, site: str | None, host: str) -> bool:
    """Return whether a request was made by a page of another site in the user's browser.

    Args:
        origin: Header ``Origin``; only browsers send it.
        site: Header ``Sec-Fetch-Site``, likewise.
        host: Header ``Host``.
    """
    if origin is not None and origin.lower() not in (f"http://{host}", f"https://{host}"):
        return True
    return site is not None and site not in ("same-origin", "none")
