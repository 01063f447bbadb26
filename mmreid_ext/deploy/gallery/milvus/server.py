"""Reach a Milvus server: its address, its errors in one line, never its token."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from mmreid_ext.deploy.own_thread import NoAnswerError, call_in_own_thread
from mmreid_ext.errors import MissingPackageError, UserError
from mmreid_ext.shorten import one_line

COLLECTION = "people"
"""Name of the collection where the address names none."""

TOKEN_VARIABLE = "MMREID_GALLERY_TOKEN"
"""Environment variable that holds the token where none is given."""

CONNECT_SECONDS = 5
CALL_SECONDS = 60
"""What pymilvus is told; whole numbers, because some of its loops forget a float."""

_PATIENCE = 2.5
"""A call of pymilvus is several requests, each with its retries: all together may take this
many times the seconds it was told. Some loops forget the time: one waits for an index for ever
where the timeout is a float."""

_RESTART = "Is it running? Look at its log, restart it, and do this again."

_LOGGERS = ("pymilvus.decorators", "pymilvus.client.iterator.query_iterator")

_SILENCE = ("UNAVAILABLE", "DEADLINE_EXCEEDED", "Fail connecting to server", "Retry timeout")

_NAME = re.compile(r"[A-Za-z_]\w{0,254}", re.ASCII)
_SERVERS = ("http://", "https://")


@dataclass(frozen=True)
class Address:
    """Where a gallery is on a server.

    Attributes:
        uri: What pymilvus connects to: ``http://host:19530``, with the database behind it if there
            is one.
        collection: Name of the collection.
    """

    uri: str
    collection: str = COLLECTION

    def __str__(self) -> str:
        return f"{self.uri}?collection={self.collection}"


def read_address(place: str) -> Address:
    """Read ``http://host:19530``, ``http://host:19530/database?collection=name``.

    Raises:
        UserError: If it is no such address, or holds a user or a password: it would be shown.
    """
    expected = "must look like http://host:19530 or http://host:19530/DATABASE?collection=NAME"
    try:
        parts = urlsplit(place)
        host, _ = parts.hostname, parts.port
        options = dict(
            parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        )
    except ValueError:
        raise UserError(f"Gallery: the address {_shown(place)!r} {expected}.") from None
    if "@" in parts.netloc:
        raise UserError(
            f"Gallery: the address of {host!r} holds a user or a password; give "
            f"token='USER:PASSWORD' or the environment variable {TOKEN_VARIABLE} instead, which "
            "no message shows."
        )
    collection = options.pop("collection", COLLECTION)
    known = place.lower().startswith(_SERVERS)
    if not known or not host or options or parts.fragment or parts.path.strip("/").count("/"):
        raise UserError(f"Gallery: the address {_shown(place)!r} {expected}.")
    if not _NAME.fullmatch(collection):
        raise UserError(
            f"Gallery: collection={_shown(collection)!r} must begin with a letter or _, and hold "
            "letters, digits and _ only."
        )
    return Address(f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}", collection)


def _shown(text: str) -> str:
    return one_line(text)


@dataclass
class Server:
    """A connection whose errors are ours.

    Args:
        address: Where it is.
        token: ``USER:PASSWORD`` or a key. None: that of the environment, if there is one.

    Attributes:
        lite: Whether it is Milvus Lite, which lacks some things.
    """

    address: Address
    token: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self._milvus = import_milvus()
        token = self.token if self.token is not None else os.environ.get(TOKEN_VARIABLE, "")
        self.token = None  # nobody needs it any more
        self._errors = (self._milvus.MilvusException, importlib.import_module("grpc").RpcError)
        try:
            self.client, version = call_in_own_thread(
                lambda: self._connect(token), _PATIENCE * CONNECT_SECONDS
            )
        except (*self._errors, NoAnswerError, ValueError, OSError) as error:
            raise UserError(
                f"Gallery: no Milvus server answers at {self.address.uri} "
                f"({_reason(error, token)}). Is it running, is the port (19530) that of its gRPC, "
                "and is the token right?"
            ) from None
        self.lite = "lite" in version

    def _connect(self, token: str) -> tuple[Any, str]:
        """Return a client and the version of its server.

        The connection is its own (dedicated): a shared one stays open after the client is closed.
        """
        client = self._milvus.MilvusClient(
            uri=self.address.uri, token=token, timeout=CONNECT_SECONDS, dedicated=True
        )
        return client, str(client.get_server_version(timeout=CONNECT_SECONDS))

    def call(self, name: str, **arguments: Any) -> Any:
        """Call a method of the client on our collection.

        Raises:
            UserError: If the server refuses, or doesn't answer in time.
        """
        arguments.setdefault("timeout", CALL_SECONDS)
        function = getattr(self.client, name)
        return self.guarded(name, lambda: function(self.address.collection, **arguments))

    def guarded(self, name: str, function: Callable[[], Any]) -> Any:
        """Call a function that asks the server.

        Raises:
            UserError: If the server refuses, or doesn't answer in time.
        """
        failed = (
            f"Gallery: the Milvus server at {self.address.uri} failed to {name} in the "
            f"collection {self.address.collection!r}:"
        )
        try:
            return call_in_own_thread(function, _PATIENCE * CALL_SECONDS)
        except NoAnswerError as error:
            raise UserError(f"{failed} {error}. {_RESTART}") from None
        except self._errors as error:
            remedy = f" {_RESTART}" if _is_silence(error) else ""
            raise UserError(f"{failed} {_reason(error, '')}.{remedy}") from None

    def close(self) -> None:
        """Leave the server; one that doesn't answer is left too."""
        with contextlib.suppress(NoAnswerError):
            call_in_own_thread(self.client.close, CONNECT_SECONDS)


def _is_silence(error: Exception) -> bool:
    """Tell a server that isn't there, or says nothing, from one that refuses."""
    text = f"{_code(error)} {error}"
    return any(word in text for word in _SILENCE)


def _code(error: Exception) -> str:
    code = getattr(error, "code", "")
    return str(code() if callable(code) else code)


def _reason(error: Exception, token: str | None) -> str:
    """Say in one line what was wrong, without the token or a part of it."""
    details = getattr(error, "details", None)
    said = getattr(error, "message", "") or (callable(details) and details()) or error
    text = one_line(said, 200).strip().rstrip(".")
    for secret in sorted({token or "", *(token or "").split(":")}, key=len, reverse=True):
        if len(secret) > 3:
            text = text.replace(secret, "***")
    return text


def import_milvus() -> Any:
    """Import pymilvus, and keep its tracebacks off the screen: each error becomes one of ours.

    Raises:
        MissingPackageError: If it isn't installed.
    """
    try:
        milvus = importlib.import_module("pymilvus")
    except ImportError:
        raise MissingPackageError(
            "A gallery on a Milvus server needs the package pymilvus: install it by "
            "`pip install 'mmreid_ext[milvus]'`, or keep the gallery in a file (people.db)."
        ) from None
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.CRITICAL)
    return milvus
