"""Reach a Milvus server: its address, its errors in one line, never its token."""

from __future__ import annotations

import importlib
import logging
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from mmreid_ext.errors import MissingPackageError, UserError
from mmreid_ext.shorten import one_line

COLLECTION = "people"
"""Name of the collection where the address names none."""

TOKEN_VARIABLE = "MMREID_GALLERY_TOKEN"
"""Environment variable that holds the token where none is given."""

CONNECT_SECONDS = 5.0
CALL_SECONDS = 60.0

_LOGGERS = ("pymilvus.decorators", "pymilvus.client.iterator.query_iterator")

_NAME = re.compile(r"[A-Za-z_]\w{0,254}", re.ASCII)
_SERVERS = ("http://", "https://")


@dataclass(frozen=True)
class Address:
    """Where a gallery is on a server.

    Attributes:
        uri: What pymilvus connects to: ``http://host:19530``, with the database behind it if there
            is one. Of Milvus Lite, which the tests use, a path that ends with ``.db``.
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
        try:
            self.client = self._milvus.MilvusClient(
                uri=self.address.uri, token=token, timeout=CONNECT_SECONDS
            )
            self.lite = "lite" in str(self.client.get_server_version(timeout=CONNECT_SECONDS))
        except (self._milvus.MilvusException, ValueError, OSError) as error:
            raise UserError(
                f"Gallery: no Milvus server answers at {self.address.uri} "
                f"({_reason(error, token)}). Is it running, is the port (19530) that of its gRPC, "
                "and is the token right?"
            ) from None

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
        try:
            return function()
        except self._milvus.MilvusException as error:
            raise UserError(
                f"Gallery: the Milvus server at {self.address.uri} failed to {name} in the "
                f"collection {self.address.collection!r}: {_reason(error, '')}."
            ) from None

    def close(self) -> None:
        """Leave the server."""
        self.client.close()


def _reason(error: Exception, token: str | None) -> str:
    """Say in one line what was wrong, without the token or a part of it."""
    text = one_line(getattr(error, "message", "") or error, 200).strip().rstrip(".")
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
