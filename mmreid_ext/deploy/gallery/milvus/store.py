"""A gallery on a Milvus server, behind the same protocol as the one in a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from mmreid_ext.deploy.gallery.records import (
    Added,
    Filters,
    GalleryInfo,
    GalleryModel,
    Hit,
    Rows,
)
from mmreid_ext.errors import UserError

from . import expressions, rows, schema
from .server import Server
from .summary import SummaryCache

MAX_TOPK = 16_384
_QUERIES = 64
_READ_NAMES = 10_000


class MilvusStore:
    """Keep the pictures of a gallery in a collection; see :class:`.store.Store`.

    Args:
        server: A connection.
        model: Whose embeddings it holds.
        read_only: Whether changes are refused.
    """

    def __init__(self, server: Server, model: GalleryModel, read_only: bool = False) -> None:
        self.server, self.model, self.read_only = server, model, read_only
        self._summary = SummaryCache(server)

    def add(self, rows_: Rows) -> Added:
        """See the protocol. Up to 1,000 rows reach the server at once, more in several requests.

        A call that was interrupted is repeated: what is there already stays.
        """
        self._require_writable("add")
        first = {content: place for place, content in reversed(list(enumerate(rows_.hashes)))}
        known = rows.find_hashes(self.server, list(first))
        new = [content for content in dict.fromkeys(rows_.hashes) if content not in known]
        ids = known | dict(zip(new, rows.new_ids(self.server, new), strict=True))
        places = [first[content] for content in new]
        taken = schema.to_server(rows_, places, [ids[content] for content in new], self.server.lite)
        rows.write_rows(self.server, taken)
        self._summary.forget()
        return Added(
            added=len(new),
            known=len(rows_) - len(new),
            ids=[ids[content] for content in rows_.hashes],
            conflicts=self._conflicts(rows_, ids, first, known),
        )

    def _require_writable(self, what: str) -> None:
        if self.read_only:
            raise UserError(f"Gallery.{what}: {self.server.address} was opened read_only.")

    def _conflicts(
        self, rows_: Rows, ids: dict[bytes, int], first: dict[bytes, int], known: dict[bytes, int]
    ) -> list[int]:
        asked = {
            content: rows_.identities[place]
            for place, content in enumerate(rows_.hashes)
            if rows_.identities[place] is not None and (content in known or place != first[content])
        }
        there = rows.get_rows(self.server, [ids[c] for c in asked], ["identity"])
        return [
            ids[content]
            for content, identity in asked.items()
            if ids[content] in there and (there[ids[content]]["identity"] or None) != identity
        ]

    def find(self, hashes: Sequence[bytes]) -> list[int | None]:
        """Return the id of the picture of each hash; None where there is none."""
        known = rows.find_hashes(self.server, hashes)
        return [known.get(content) for content in hashes]

    def search(
        self,
        queries: np.ndarray,
        topk: int,
        filters: Filters,
        other_cameras_than: Sequence[str | None] | None,
    ) -> list[list[Hit]]:
        """See the protocol."""
        if topk > MAX_TOPK:
            raise UserError(
                f"Gallery.search: topk={topk}, on a Milvus server at most {MAX_TOPK:,}."
            )
        cameras = [None] * len(queries) if other_cameras_than is None else list(other_cameras_than)
        groups: dict[str | None, list[int]] = {}
        for place, camera in enumerate(cameras):
            groups.setdefault(camera, []).append(place)
        found: list[list[Hit]] = [[] for _ in cameras]
        for camera, places in groups.items():
            condition = expressions.conditions(filters, camera)
            for start in range(0, len(places), _QUERIES):
                part = places[start : start + _QUERIES]
                for place, hits in zip(
                    part, self._ask(queries[part], topk, condition), strict=True
                ):
                    found[place] = hits
        return found

    def _ask(self, queries: np.ndarray, topk: int, condition: str) -> list[list[Hit]]:
        asked = queries.astype(np.float32 if self.server.lite else np.float16)
        answers = self.server.call(
            "search",
            data=list(asked),
            anns_field="embedding",
            filter=condition,
            limit=topk,
            output_fields=list(schema.FIELDS),
            search_params={"metric_type": "IP"},
            consistency_level="Strong",
        )
        lists = [
            [schema.hit_of(hit["entity"], float(np.float32(hit["distance"]))) for hit in answer]
            for answer in answers
        ]
        return [sorted(hits, key=lambda hit: (-hit.similarity, hit.id)) for hits in lists]

    def embeddings(self, ids: Sequence[int]) -> np.ndarray:
        """See the protocol."""
        found = rows.get_rows(self.server, ids, ["embedding"])
        out = np.zeros((len(ids), self.model.size), dtype=np.float16)
        for place, number in enumerate(ids):
            if number in found:
                out[place] = schema.read_vector(found[number]["embedding"], self.model.size)
        return out

    def get(self, ids: Sequence[int]) -> list[Hit]:
        """See the protocol."""
        found = rows.get_rows(self.server, ids, schema.FIELDS[1:])
        return [schema.hit_of(found[number]) for number in ids if number in found]

    def delete(self, ids: Sequence[int] | None, identity: str | None) -> int:
        """See the protocol; the storage is given up when the server compacts its segments."""
        self._require_writable("delete")
        asked = self.ids_of(identity) if identity is not None else list(dict.fromkeys(ids or ()))
        there = asked if identity is not None else list(rows.get_rows(self.server, asked, []))
        rows.delete_rows(self.server, there)
        self._summary.forget()
        return len(there)

    def ids_of(self, identity: str) -> list[int]:
        """See the protocol."""
        condition = expressions.one_of("identity", [identity])
        pages = rows.read_rows(self.server, condition, ["id"], _READ_NAMES)
        return sorted(row["id"] for page in pages for row in page)

    def label(self, ids: Sequence[int], identity: str | None) -> int:
        """See the protocol. The server replaces whole rows."""
        self._require_writable("label")
        changed = 0
        every = [*schema.FIELDS[1:], "thumbnail", "embedding"]
        unique = list(dict.fromkeys(ids))
        for start in range(0, len(unique), _READ_NAMES // 10):
            found = rows.get_rows(self.server, unique[start : start + _READ_NAMES // 10], every)
            given = schema.from_server(list(found.values()), self.model.size)
            given.identities = [identity] * len(given)
            places = range(len(given))
            rows.write_rows(
                self.server, schema.to_server(given, places, given.ids, self.server.lite)
            )
            changed += len(given)
        self._summary.forget()
        return changed

    def thumbnail(self, id: int) -> bytes | None:
        """See the protocol."""
        found = rows.get_rows(self.server, [id], ["thumbnail"])
        return schema.read_picture(found[id]["thumbnail"]) if id in found else None

    def people(self) -> dict[str, int]:
        """See the protocol; what other processes changed may appear a minute later."""
        return dict(sorted(self._summary.now().people.items()))

    def cameras(self) -> dict[str, int]:
        """See the protocol; as :meth:`people`."""
        return dict(sorted(self._summary.now().cameras.items()))

    def rows(self, batch: int, thumbnails: bool) -> Iterator[Rows]:
        """See the protocol."""
        fields = [*schema.FIELDS, *["thumbnail"] * thumbnails, "embedding"]
        for page in rows.read_rows(self.server, fields=fields, portion=min(batch, 1000)):
            yield schema.from_server(page, self.model.size)

    def info(self) -> GalleryInfo:
        """See the protocol."""
        seen = self._summary.now()
        return GalleryInfo(
            place=str(self.server.address),
            rows=seen.rows,
            identities=len(seen.people),
            cameras=len(seen.cameras),
            unnamed=seen.unnamed,
            thumbnails=rows.count(self.server, "has_thumbnail == true"),
            first=seen.first,
            last=seen.last,
            size=self.model.size,
            model=self.model,
            bytes=None,
            version=schema.FORMAT,
        )

    def refresh(self) -> None:
        """Do nothing: the server is always ready."""

    def close(self) -> None:
        """See the protocol."""
        self.server.close()
