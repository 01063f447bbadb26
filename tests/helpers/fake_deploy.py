"""An embedder and a gallery without engine and file, for tests of the service."""

import threading
import warnings
from types import SimpleNamespace

import cv2
import numpy as np

from mmreid_ext.deploy.gallery.records import GalleryModel
from mmreid_ext.verdicts.thresholds import Threshold


class FakeEmbedder:
    """Embeds a picture as the mean colours of its quarters; keeps the sizes of the batches."""

    def __init__(self, thresholds=True):
        self.info = SimpleNamespace(
            name="small.pth (abcd1234)",
            identity="abcd1234",
            size=12,
            height=32,
            width=16,
            precision="fp32",
        )
        self.size = 12
        self.thresholds = (
            [
                Threshold(0.01, 0.5, 0.9, 10_000, "drawn"),
                Threshold(0.001, 0.9, 0.7, 10_000, "drawn"),
                Threshold(0.0001, None, None, 10_000, "drawn"),
            ]
            if thresholds
            else []
        )
        self.batches = []
        self.block = None  # an event that a pass waits for
        self.fault = None  # raised by a pass that holds a black picture

    def prepare(self, picture):
        return cv2.resize(picture.astype(np.float32), (16, 32), interpolation=cv2.INTER_AREA)

    def embed_inputs(self, stack):
        self.batches.append(len(stack))
        if self.block is not None:
            self.block.wait(10)
        if self.fault is not None and (stack.reshape(len(stack), -1).max(1) == 0).any():
            raise self.fault
        quarters = stack.reshape(len(stack), 2, 16, 2, 8, 3).mean((2, 4)).reshape(len(stack), -1)
        rows = quarters - 100.0
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


class FakeGallery:
    """A gallery in memory; keeps what it was asked."""

    def __init__(self, model="abcd1234", read_only=False):
        self.rows, self.read_only, self.asked, self.closed = {}, read_only, [], False
        self.model = GalleryModel(model, f"small.pth ({model})", 12)
        self.place = "fake.db"
        self.fault = None
        self.lock = threading.Lock()

    def add(self, embeddings, **columns):
        if self.fault is not None:
            raise self.fault
        ids, known = [], 0
        with self.lock:
            for n, row in enumerate(embeddings):
                one = SimpleNamespace(row=row, **{k: v[n] for k, v in columns.items()})
                old = [i for i, other in self.rows.items() if other.hashes == one.hashes]
                known += bool(old)
                ids.append(old[0] if old else len(self.rows) + 1)
                self.rows.setdefault(ids[-1], one)
        return SimpleNamespace(added=len(ids) - known, known=known, ids=ids, conflicts=[])

    def search(self, queries, topk=10, filters=None, rerank=None):
        self.asked.append(SimpleNamespace(topk=topk, filters=filters, rerank=rerank))
        return [self.hits(query)[:topk] for query in queries]

    def hits(self, query):
        found = [
            SimpleNamespace(
                id=number,
                similarity=float(one.row @ query),
                identity=one.identities,
                camera=one.cameras,
                time=one.times,
                source=one.sources,
                has_thumbnail=one.thumbnails is not None,
            )
            for number, one in self.rows.items()
        ]
        return sorted(found, key=lambda hit: -hit.similarity)

    def delete(self, ids=None, identity=None):
        with self.lock:
            gone = [
                number
                for number, one in self.rows.items()
                if (ids is not None and number in ids)
                or (identity is not None and one.identities == identity)
            ]
            for number in gone:
                del self.rows[number]
        return len(gone)

    def info(self):
        unnamed = sum(one.identities is None for one in self.rows.values())
        return SimpleNamespace(rows=len(self.rows), unnamed=unnamed, model=self.model)

    def thumbnail(self, number):
        one = self.rows.get(number)
        return None if one is None else one.thumbnails

    def _counts(self, name):
        names = [getattr(one, name) for one in self.rows.values()]
        return {value: names.count(value) for value in dict.fromkeys(names) if value is not None}

    def people(self):
        return self._counts("identities")

    def cameras(self):
        return self._counts("cameras")

    def refresh(self):
        self.asked.append("refresh")

    def close(self):
        self.closed = True


def drawn(seed, height=64, width=32):
    """A picture with large coloured parts, (H, W, 3)."""
    parts = np.random.default_rng(seed).integers(0, 256, (2, 2, 3)).astype(np.uint8)
    return parts.repeat(height // 2, 0).repeat(width // 2, 1)


def file_of(image, suffix=".png"):
    """The bytes of a picture file."""
    return cv2.imencode(suffix, image)[1].tobytes()


def client_of(app, **options):
    """A client on the same machine, with the start and the end of the application around it."""
    with warnings.catch_warnings():  # that another client is the better one
        warnings.simplefilter("ignore")
        from starlette.testclient import TestClient
    options = {"base_url": "http://127.0.0.1:8000", "client": ("127.0.0.1", 50_000)} | options
    return TestClient(app, **options)
