"""Run the application on a port of this machine until it is told to stop."""

from __future__ import annotations

import errno
import signal
import socket
import warnings
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from mmreid_ext.errors import MissingPackageError, UserError
from mmreid_ext.suggest import did_you_mean

from .auth import KEY_VARIABLE, is_loopback
from .connections import http_protocol
from .settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

_BACKLOG = 1024
_MAX_CONNECTIONS = 1024
ON_A_GPU = Settings(batch=32)
"""Limits where the model doesn't run on the CPU: there, larger batches pay."""

_LAST_WISHES = 15
"""Seconds that requests have to end after a signal to stop."""


def read_settings(texts: Sequence[str], settings: Settings | None = None) -> Settings:
    """Return settings with some changed.

    Args:
        texts: As ``max_pixels=50000000``.
        settings: Are changed; None: the defaults.

    Raises:
        UserError: For an unknown name, or a value that the setting doesn't take.
    """
    settings = settings or Settings()
    names = {field.name: type(getattr(settings, field.name)) for field in fields(Settings)}
    changed: dict[str, Any] = {}
    for text in texts:
        name, _, value = text.partition("=")
        if name not in names:
            raise UserError(
                f"--limit {text}: there is no {name!r}{did_you_mean(name, names)}; "
                f"there are: {', '.join(names)}."
            )
        try:
            changed[name] = names[name](value)
        except ValueError:
            raise UserError(f"--limit {text}: {value!r} is no number; give one.") from None
    return replace(settings, **changed)


def require_key(host: str, key: str | None) -> None:
    """Check that nobody else can ask a service without a key.

    Args:
        host: Address to listen on.
        key: API key.

    Raises:
        UserError: If there is no key and the address is not this machine's own.
    """
    if key is None and not is_loopback(host):
        raise UserError(
            f"--host {host} can be reached by others, so the service needs an API key: "
            f"set {KEY_VARIABLE}, or give --api-key-file FILE."
        )


def open_socket(host: str, port: int) -> socket.socket:
    """Take a port.

    Args:
        host: Address or name.
        port: Port; 0: a free one.

    Raises:
        UserError: If it is taken, not allowed, or no address of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise UserError(f"--host {host} is no address ({error.strerror}); correct it.") from None
    opened = socket.socket(family, kind, protocol)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
        opened.listen(_BACKLOG)
    except OSError as error:
        opened.close()
        if error.errno == errno.EADDRINUSE:
            raise UserError(
                f"Port {port} of {host} is taken by another program; give another --port."
            ) from None
        raise UserError(
            f"Port {port} of {host} can't be had: {error.strerror}; give another --port or --host."
        ) from None
    return opened


_EVERY_ADDRESS = ("0.0.0.0", "::")


def address_of(opened: socket.socket) -> str:
    """Return the address of a service, as browsers take it, also those of other machines."""
    host, port = opened.getsockname()[:2]
    if host in _EVERY_ADDRESS:
        host = socket.gethostname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(app: FastAPI, opened: socket.socket, ready: Callable[[], None]) -> None:
    """Answer requests until SIGINT or SIGTERM; then finish those that were begun.

    Args:
        app: The application.
        opened: The port that it has.
        ready: Called once it answers.

    Raises:
        MissingPackageError: If uvicorn is not installed.
    """
    from PIL.Image import DecompressionBombWarning

    try:
        import uvicorn
    except ImportError:
        raise MissingPackageError(
            "The service needs the package uvicorn; pip install 'mmreid_ext[serve]'."
        ) from None
    warnings.simplefilter("ignore", DecompressionBombWarning)  # our own limit refuses them
    config = uvicorn.Config(
        app,
        http=http_protocol(),
        log_level="error",  # a line per broken request would let strangers fill the disk
        access_log=False,  # it would write names of people: DELETE /person/NAME
        server_header=False,
        proxy_headers=False,  # who asks is who connects
        ws="none",
        lifespan="on",
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_graceful_shutdown=_LAST_WISHES,
    )
    server = uvicorn.Server(config)

    # uvicorn raises the signal again when it has ended; the end was asked for, so it is no failure.
    def stop(number: int, frame: Any) -> None:
        server.should_exit = True

    before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        ready()
        server.run(sockets=[opened])
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        opened.close()
