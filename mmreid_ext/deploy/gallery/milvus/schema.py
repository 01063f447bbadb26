"""The collection of a gallery: its fields, and what it says about its model."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mmreid_ext.deploy.gallery.model_identity import model_from_text, model_to_text
from mmreid_ext.deploy.gallery.records import GalleryModel, Hit, Rows
from mmreid_ext.errors import UserError
from mmreid_ext.json_values import read_json

from .expressions import NO_TIME, UNKNOWN
from .server import Server, import_milvus

FORMAT = 1
PROPERTY = "mmreid_ext"
"""Property of the collection that holds its format and model; its description says the same."""

FIELDS = ("id", "hash", "identity", "camera", "time", "source", "has_thumbnail")
LENGTHS = dict(hash=128, identity=4096, camera=4096, source=16384, thumbnail=65_535)
"""Bytes that a text field can hold."""

_ID_BITS = 53  # what JSON and JavaScript keep exactly


def create_collection(server: Server, model: GalleryModel) -> None:
    """Make the collection, with an exact index.

    Args:
        server: Where.
        model: Whose embeddings it takes.
    """
    kinds = import_milvus().DataType
    about = json.dumps({"format": FORMAT, "model": model_to_text(model)})
    schema = server.client.create_schema(
        auto_id=False, enable_dynamic_field=False, description=about
    )
    schema.add_field("id", kinds.INT64, is_primary=True)
    for name, length in LENGTHS.items():
        schema.add_field(name, kinds.VARCHAR, max_length=length)
    schema.add_field("time", kinds.DOUBLE)
    schema.add_field("has_thumbnail", kinds.BOOL)  # to say so without sending it
    # Milvus Lite has no float16: there the same values stand in float32.
    vector = kinds.FLOAT_VECTOR if server.lite else kinds.FLOAT16_VECTOR
    schema.add_field("embedding", vector, dim=model.size)
    index = server.client.prepare_index_params()
    index.add_index("embedding", index_type="FLAT", metric_type="IP")
    server.call(
        "create_collection",
        schema=schema,
        index_params=index,
        consistency_level="Strong",  # what was added is found at once
        properties={PROPERTY: about},
    )


def read_model(server: Server) -> GalleryModel:
    """Return the model that the collection was made for.

    Raises:
        UserError: If it isn't a gallery of ours, or one of a later format.
    """
    described = server.call("describe_collection")
    text = (described.get("properties") or {}).get(PROPERTY) or described.get("description") or ""
    place = f"Gallery: the collection {server.address.collection!r} at {server.address.uri}"
    try:
        found = read_json(text)
        number, record = int(found["format"]), found["model"]
    except (ValueError, KeyError, TypeError):
        raise UserError(
            f"{place} wasn't made by mmreid_ext; name another one: ?collection=NAME."
        ) from None
    if number > FORMAT:
        raise UserError(
            f"{place} is of format {number}, this version of mmreid_ext reads format {FORMAT}: "
            "upgrade the package."
        )
    return model_from_text(record, place)


def id_of(content: bytes, attempt: int = 0) -> int:
    """Return the id of a hash: equal on every machine, so that two who add one picture add one row.

    Args:
        content: The hash.
        attempt: Counts how many ids were taken by other hashes.
    """
    digest = hashlib.blake2b(content, digest_size=8, salt=attempt.to_bytes(4, "big")).digest()
    return (int.from_bytes(digest, "big") >> (64 - _ID_BITS)) or 1


def to_server(rows: Rows, places: Sequence[int], ids: Sequence[int], lite: bool) -> list[dict]:
    """Write some rows as the server takes them.

    Args:
        rows: Pictures.
        places: Which of them.
        ids: Id of each of these.
        lite: Whether the server is Milvus Lite.
    """
    return [
        {
            "id": number,
            "hash": rows.hashes[place].hex(),
            "identity": rows.identities[place] or UNKNOWN,
            "camera": rows.cameras[place] or UNKNOWN,
            "time": NO_TIME if rows.times[place] is None else rows.times[place],
            "source": rows.sources[place] or UNKNOWN,
            "has_thumbnail": rows.thumbnails[place] is not None,
            "thumbnail": stored_picture(rows.thumbnails[place]),
            "embedding": stored_vector(rows.embeddings[place], lite),
        }
        for place, number in zip(places, ids, strict=True)
    ]


def from_server(found: Sequence[Mapping[str, Any]], size: int) -> Rows:
    """Read rows as the server gives them, in order of their ids."""
    found = sorted(found, key=lambda row: row["id"])
    vectors = [read_vector(row["embedding"], size) for row in found]
    return Rows(
        np.array(vectors, dtype=np.float16).reshape(len(found), size),
        [bytes.fromhex(row["hash"]) for row in found],
        [row["identity"] or None for row in found],
        [row["camera"] or None for row in found],
        [time_or_none(row["time"]) for row in found],
        [row["source"] or None for row in found],
        [read_picture(row.get("thumbnail", "")) for row in found],
        [row["id"] for row in found],
    )


def hit_of(row: Mapping[str, Any], similarity: float = 0.0) -> Hit:
    """Read what a row says about a picture."""
    return Hit(
        id=row["id"],
        similarity=similarity,
        identity=row["identity"] or None,
        camera=row["camera"] or None,
        time=time_or_none(row["time"]),
        source=row["source"] or None,
        score=similarity,
        has_thumbnail=bool(row["has_thumbnail"]),
    )


def stored_vector(vector: np.ndarray, lite: bool) -> np.ndarray:
    """Return a vector as the server takes it: rounded to float16."""
    half = vector.astype(np.float16)
    return half.astype(np.float32) if lite else half


def read_vector(value: Any, size: int) -> np.ndarray:
    """Read a vector as the server gives it: numbers, or the bytes of float16."""
    if isinstance(value, (list, tuple)) and len(value) == 1 and isinstance(value[0], bytes):
        value = value[0]
    if isinstance(value, (bytes, bytearray)):
        return np.frombuffer(value, np.float16, count=size).astype(np.float32)
    return np.asarray(value, dtype=np.float32)


def time_or_none(value: float) -> float | None:
    """Read a time."""
    return None if value <= NO_TIME else float(value)


def stored_picture(picture: bytes | None) -> str:
    """Write a picture as text: Milvus has no field for bytes."""
    return "" if picture is None else base64.b64encode(picture).decode("ascii")


def read_picture(text: str) -> bytes | None:
    """Read what :func:`stored_picture` wrote."""
    return base64.b64decode(text) if text else None
