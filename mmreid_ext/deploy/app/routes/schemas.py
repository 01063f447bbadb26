"""Shapes of the answers, for OpenAPI; the answers themselves are written directly."""

from __future__ import annotations

from pydantic import BaseModel


class Embedded(BaseModel):
    """Embeddings of pictures."""

    size: int
    model: str
    embeddings: list[list[float]]


class AnswerAt(BaseModel):
    """Whether two pictures show one person, at one rate of false alarms."""

    same: bool | None
    fpr: float
    similarity: float | None
    tpr: float | None


class Compared(BaseModel):
    """How similar two pictures are."""

    similarity: float
    answers: list[AnswerAt]


class Match(BaseModel):
    """A picture that was found."""

    id: int
    similarity: float
    identity: str | None
    camera: str | None
    time: str | None
    source: str | None
    same: bool | None
    thumbnail: str | None


class Line(BaseModel):
    """Similarity from which on two pictures count as one person."""

    fpr: float
    similarity: float


class Searched(BaseModel):
    """What was found, best first."""

    matches: list[Match]
    threshold: Line | None


class Enrolled(BaseModel):
    """What was added, and what was there before."""

    added: int
    known: int
    ids: list[int]
    conflicts: list[int]


class Deleted(BaseModel):
    """How many pictures were deleted."""

    deleted: int


class Person(BaseModel):
    """A person of the gallery."""

    identity: str | None
    count: int


class Camera(BaseModel):
    """A camera of the gallery."""

    camera: str | None
    count: int


class Model(BaseModel):
    """The model."""

    name: str
    size: int
    height: int
    width: int
    precision: str


class ThresholdAt(BaseModel):
    """A threshold of the model."""

    fpr: float
    similarity: float | None
    tpr: float | None
    dataset: str


class GalleryShown(BaseModel):
    """What the gallery holds, and by which model."""

    rows: int
    people: list[Person]
    cameras: list[Camera]
    can_write: bool
    model: Model
    thresholds: list[ThresholdAt]


class Health(BaseModel):
    """Whether the service answers."""

    status: str
