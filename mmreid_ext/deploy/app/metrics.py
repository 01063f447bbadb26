"""Count what the service does, as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_METHODS = frozenset(("GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT", "PATCH"))
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_SIZES = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """Counters of one application; several in one process don't disturb one another.

    Args:
        waiting: Returns how many pictures wait for the model.
    """

    def __init__(self, waiting: Callable[[], int]) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "mmreid_requests",
            "Requests by route, method and status.",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self._latency = Histogram(
            "mmreid_request_seconds",
            "Time from the first byte of a request to the end of its answer.",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        queue = Gauge(
            "mmreid_queue_pictures", "Pictures that wait for the model.", registry=self.registry
        )
        queue.set_function(waiting)
        self._batches = Histogram(
            "mmreid_batch_pictures",
            "Pictures of one pass through the model.",
            buckets=_SIZES,
            registry=self.registry,
        )
        self._embeddings = Counter(
            "mmreid_embeddings", "Pictures that were embedded.", registry=self.registry
        )
        self._rows: Gauge | None = None

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request.

        Args:
            route: Pattern of its path, so that unknown paths make no labels of their own.
            method: Of HTTP.
            status: Of HTTP.
            seconds: How long it took.
        """
        method = method if method in _METHODS else "other"
        self._requests.labels(route, method, status).inc()
        self._latency.labels(route).observe(seconds)

    def batch(self, size: int) -> None:
        """Count a pass through the model."""
        self._batches.observe(size)
        self._embeddings.inc(size)

    def text(self, rows: int | None) -> bytes:
        """Return all counters.

        Args:
            rows: Rows of the gallery; None: there is none.
        """
        if rows is not None:
            if self._rows is None:
                self._rows = Gauge(
                    "mmreid_gallery_rows", "Pictures in the gallery.", registry=self.registry
                )
            self._rows.set(rows)
        return generate_latest(self.registry)
