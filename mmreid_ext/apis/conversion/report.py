"""Say in words what came of a conversion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmreid_ext.shorten import one_line, several, shorten

from .convert import Conversion


def report_lines(conversion: Conversion, file: Any, out: Any) -> Iterator[str]:
    """Yield the lines of a report.

    Args:
        conversion: What came of it.
        file: The file that was converted.
        out: The file that was written.
    """
    title = conversion.source.title
    if conversion.seen:
        yield f"{file}: taken for {title} (it has {shorten(conversion.seen)})"
    yield f"configuration: {_shown(conversion.config)}{_options(conversion.options)}"
    if conversion.assumed:
        yield f"not in the weights, taken as {title} does by default: {conversion.assumed}"
    yield f"{several(len(conversion.fit.state), 'weight')} taken over"
    for why, names in conversion.translated.dropped.items():
        yield f"left out, {why}: {shorten(names)}"
    if conversion.fit.unset:
        yield f"not in the file, needed for training alone: {shorten(conversion.fit.unset)}"
    yield from _incomplete(conversion)
    yield _use(conversion.record)
    yield f"Written: {out}"
    options = "".join(
        f" {key}={_written(value)}"
        for key, value in conversion.options.items()
        if "num_classes" not in key and "classifier" not in key
    )
    options = f" --cfg-options{options}" if options else ""
    yield f"next: python tools/test.py {_shown(conversion.config)} {out}{options}"


def _incomplete(conversion: Conversion) -> Iterator[str]:
    found = conversion.fit
    if found.complete:
        return
    for what, names in found.unknown.items():
        yield f"NOT taken over, {what}: {shorten(names)}"
    if found.reshaped:
        yield f"NOT taken over, of another shape: {shorten(found.reshaped)}"
    if found.missing:
        yield f"RANDOM, not in the file: {shorten(found.missing)}"
    yield "This is a start for a training: its embeddings are not those of the file's network."


def _use(record: Mapping[str, Any]) -> str:
    embedding, images = record["embedding"], record["input"]
    chosen = record["network"].get("head.test_feature")
    words = {"embeddings": "after the neck", "feats": "the pooled feature"}
    steps = images["steps"]
    filters = [f"{s['interpolation']} by {s['backend']}" for s in steps if "interpolation" in s]
    return (
        f"embedding: {embedding['size']} numbers, {words.get(chosen, 'of the head')}; "
        f"images: {images['height']} x {images['width']}, {shorten(filters) or 'their own size'}, "
        f"{images['channel_order']}, mean {images['mean']}, std {images['std']}"
    )


def _options(options: Mapping[str, Any]) -> str:
    text = ", ".join(f"{key}={_written(value)}" for key, value in options.items())
    return f" with {text}" if text else ""


def _written(value: Any) -> str:
    """A value as ``--cfg-options`` reads it."""
    if isinstance(value, Mapping):
        inner = ", ".join(f"{key}={item!r}" for key, item in value.items())
        return f'"dict(_delete_=True, {inner})"'
    if isinstance(value, (tuple, list)):
        return '"(' + ",".join(map(str, value)) + ')"'
    return one_line(value)


def _shown(path: Path) -> str:
    """A path as short as it can be written from here."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
