"""The one error that requests end with: a status of HTTP and a sentence."""

from __future__ import annotations

RETRY_AFTER = 1
"""Seconds after which a client that was told to come later may try again."""


class Refusal(Exception):
    """A request that isn't answered.

    Args:
        status: Status of HTTP, 400 to 599.
        sentence: What is wrong and what to do; holds no path of the server.
        headers: Headers of the answer.
    """

    def __init__(self, status: int, sentence: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.headers = headers or {}


def busy(sentence: str) -> Refusal:
    """Return the refusal of a service that has too much to do at the moment."""
    return Refusal(503, sentence, {"Retry-After": str(RETRY_AFTER)})
