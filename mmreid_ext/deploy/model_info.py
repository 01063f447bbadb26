"""Read what an exported model says about itself: its input, its embeddings, where it is from.

``docs/deploy/embedder.md`` describes the fields for other programs.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.json_values import read_json
from mmreid_ext.verdicts.thresholds import Threshold, read_thresholds, threshold_sets

from .input_info import InputInfo, read_input, written_input
from .model_file import embedded_record, record_beside
from .record_fields import Fields, quoted

FORMAT = 1
"""Version of the record that is written, and the latest that is read."""

PRECISIONS = ("fp32", "fp16", "int8")
MAX_SIZE = 65_536


@dataclass(frozen=True)
class ModelInfo:
    """What an exported model says about itself.

    Attributes:
        input: What it takes.
        size: Numbers of an embedding, D.
        flip_test: Whether the embedding of the mirrored image is added inside the model.
        feature: Which feature of the network the embedding is, for people.
        precision: ``fp32``, ``fp16`` or ``int8``.
        file: Name of the checkpoint file.
        weights: Hash of the checkpoint's weights; None if it has none.
        sha256: Hash of the checkpoint file; None if unknown.
        config: Name of its configuration; None if unknown.
        all_thresholds: Thresholds of every test set; see :attr:`thresholds`.
        version: Version of this package that exported it.
    """

    input: InputInfo
    size: int
    flip_test: bool
    feature: str
    precision: str
    file: str
    weights: str | None
    sha256: str | None
    config: str | None
    all_thresholds: tuple[Threshold, ...]
    version: str

    @classmethod
    def from_json(cls, text: str, source: str) -> ModelInfo:
        """Read the text of a record.

        Args:
            text: JSON.
            source: Where it comes from, for messages.

        Raises:
            UserError: If it is no such record, or one of a later format; names the field.
        """
        return cls.from_record(_parsed(text, source), source)

    @classmethod
    def from_record(cls, record: Any, source: str) -> ModelInfo:
        """Check a record; see :meth:`from_json`."""
        fields = Fields({"record": record}, "", source).inner("record")
        fields = Fields(fields.values, "", source)
        _check_format(fields)
        embedding, model = fields.inner("embedding"), fields.inner("model")
        if embedding.values.get("l2_normalized") is not True:
            raise embedding.wrong("l2_normalized", embedding.values.get("l2_normalized"), "true")
        embedding.choice("distance", ("cosine",))
        return cls(
            input=read_input(fields.inner("input")),
            size=embedding.whole("size", 1, MAX_SIZE),
            flip_test=embedding.flag("flip_test"),
            feature=embedding.optional_text("feature") or "",
            precision=fields.choice("precision", PRECISIONS),
            file=model.text("file"),
            weights=model.optional_text("weights") or None,
            sha256=model.optional_text("sha256") or None,
            config=model.optional_text("config"),
            all_thresholds=_read_thresholds(fields),
            version=fields.optional_text("version") or "",
        )

    def to_record(self) -> dict[str, Any]:
        """Return the record as plain values, as :meth:`from_record` reads it."""
        return {
            "format": FORMAT,
            "input": written_input(self.input),
            "embedding": {
                "size": self.size,
                "l2_normalized": True,
                "distance": "cosine",
                "flip_test": self.flip_test,
                "feature": self.feature,
            },
            "precision": self.precision,
            "model": {
                "file": self.file,
                "weights": self.weights,
                "sha256": self.sha256,
                "config": self.config,
            },
            "thresholds": [asdict(threshold) for threshold in self.all_thresholds],
            "version": self.version,
        }

    def to_json(self) -> str:
        """Return the record as JSON on one line: a line break wouldn't survive OpenVINO's XML."""
        return json.dumps(self.to_record(), allow_nan=False)

    @property
    def height(self) -> int:
        """Rows of the input."""
        return self.input.height

    @property
    def width(self) -> int:
        """Columns of the input."""
        return self.input.width

    @property
    def identity(self) -> str:
        """What embeddings of this model have in common: equal for a checkpoint and its exports.

        An int8 model counts as another one.
        """
        known = self.weights or self.sha256 or self.file
        return f"{known}/int8" if self.precision == "int8" else known

    @property
    def name(self) -> str:
        """Name for people: file, beginning of the hash, and int8."""
        hashed = [(self.weights or self.sha256 or "")[:8]]
        details = ", ".join(filter(None, hashed + ["int8"] * (self.precision == "int8")))
        return f"{self.file} ({details})" if details else self.file

    @property
    def thresholds(self) -> list[Threshold]:
        """Those of the surest test set; see :func:`~.verdicts.thresholds.read_thresholds`."""
        return read_thresholds({"thresholds": [asdict(t) for t in self.all_thresholds]})


def read_model_info(file: str | os.PathLike) -> ModelInfo:
    """Read what an exported model says about itself, without loading it.

    Args:
        file: ``.onnx``, ``.xml`` or ``.torchscript``. What it holds counts; without that, the
            ``.json`` file beside it, such as ``model.onnx.json``.

    Raises:
        MissingFileError: If there is no such file.
        UserError: If it says nothing, nothing that can be read, or not what the file beside says.
    """
    path = Path(file)
    if not path.is_file():
        raise MissingFileError(f"There is no exported model {str(path)!r}.")
    inside, beside = embedded_record(path), record_beside(path)
    if inside is None and beside is None:
        raise UserError(
            f"{path} doesn't say how to use it: it holds no record 'mmreid_ext', and there is no "
            f"{path.name}.json beside it. Export a checkpoint (python tools/export.py CHECKPOINT "
            "--out FOLDER), or describe the file yourself: Embedder(file, info=ModelInfo(...))."
        )
    if inside is None or beside is None:
        text, source = (inside, str(path)) if inside is not None else (beside, f"{path}.json")
        return ModelInfo.from_json(text or "", source)
    found = ModelInfo.from_json(inside, str(path))
    if found != ModelInfo.from_json(beside, f"{path}.json"):
        raise UserError(
            f"{path} and {path.name}.json beside it say different things about the model; the "
            f"model's own record counts: delete {path.name}.json, or export the model again."
        )
    return found


def _parsed(text: str, source: str) -> Any:
    try:
        return read_json(text)
    except ValueError as error:
        raise UserError(
            f"{source}: the record 'mmreid_ext' is no JSON ({quoted(str(error))}); "
            "export the model again."
        ) from None


def _check_format(fields: Fields) -> None:
    found = fields.values.get("format")
    if isinstance(found, int) and not isinstance(found, bool) and found > FORMAT:
        raise UserError(
            f"{fields.source} describes itself in format {quoted(found)}, this version of "
            f"mmreid_ext reads format {FORMAT}: upgrade the package."
        )
    fields.whole("format", FORMAT, FORMAT)


def _read_thresholds(fields: Fields) -> tuple[Threshold, ...]:
    if fields.values.get("thresholds") is None:
        return ()
    record = {"thresholds": list(fields.items("thresholds", 1000))}
    names = threshold_sets(record)
    found = tuple(one for name in names for one in read_thresholds(record, name))
    for one in found:
        entry = Fields(asdict(one), "thresholds[].", fields.source)
        if not 1e-9 <= one.fpr <= 1:
            raise entry.wrong("fpr", one.fpr, "a rate from 1e-9 to 1")
        if one.similarity is not None and not -1.01 <= one.similarity <= 1.01:
            raise entry.wrong("similarity", one.similarity, "a cosine from -1 to 1")
    return found
