"""Find out in seconds whether a server answers.

Resolving a name takes the system up to half a minute where there is no network, and no argument of
``urllib`` limits that.
"""

from __future__ import annotations

import socket
import threading
from urllib.parse import urlparse
from urllib.request import getproxies, proxy_bypass

PATIENCE = 3.0
"""Seconds for a name and a connection; a server that is there takes tenths of one."""

PORTS = {"http": 80, "https": 443}


def why_unreachable(url: str, patience: float = PATIENCE) -> str | None:
    """Return why nobody answers at ``url``, None if somebody does or only a trial can tell.

    Args:
        url: Address of a file. Where a proxy is set, the proxy is asked instead.
        patience: Seconds to wait.
    """
    parts = urlparse(url)
    if parts.scheme not in PORTS or not parts.hostname:
        return None
    proxy = getproxies().get(parts.scheme)
    if proxy and not proxy_bypass(parts.hostname):
        parts = urlparse(proxy if "//" in proxy else f"//{proxy}")
    host, port = parts.hostname, parts.port or PORTS.get(parts.scheme, 80)
    if host is None:
        return None
    reasons: list[str | None] = []

    def connect() -> None:
        try:
            socket.create_connection((host, port), timeout=patience).close()
            reasons.append(None)
        except OSError as error:
            reasons.append(error.strerror or str(error))

    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(patience)
    return reasons[0] if reasons else f"no answer from {host} within {patience:g} s"
