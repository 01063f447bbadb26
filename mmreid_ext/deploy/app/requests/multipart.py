"""Take a form with files apart: in memory, with a limit on everything that a client chooses.

Web frameworks write large parts into temporary files. Here ``python-multipart`` finds the parts,
and a picture never reaches the disk.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from mmreid_ext.deploy.app.refusals import Refusal
from mmreid_ext.shorten import one_line
from mmreid_ext.suggest import did_you_mean

# A line per broken form would let strangers fill the disk.
logging.getLogger("python_multipart").setLevel(logging.CRITICAL)

MAX_FIELDS = 200
"""Parts of a form that are no files."""

_MAX_BOUNDARY = 70  # RFC 2046
_MAX_HEAD = 4096
_MAX_FIELD = 4096
_MAX_NAME = 255
_BOUNDARY = re.compile(r'(?i)multipart/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"]+)"|([^\s;"]+))')
_UNSEEN = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Upload:
    """A file of a form.

    Attributes:
        name: Name of the field.
        file: Base name that the client gave, empty if none.
        content: The bytes.
    """

    name: str
    file: str
    content: bytes

    def __str__(self) -> str:
        """Name the upload in a message."""
        return f"{self.name} {one_line(self.file)!r}" if self.file else self.name


@dataclass
class Form:
    """What a client sent.

    Attributes:
        uploads: Files, in their order.
        fields: Texts by name, in their order.
    """

    uploads: list[Upload] = field(default_factory=list)
    fields: dict[str, list[str]] = field(default_factory=dict)

    def require(self, uploads: Mapping[str, int], fields: Mapping[str, int]) -> None:
        """Check names and numbers of the parts.

        Args:
            uploads: Most files by name; each name is needed at least once.
            fields: Most texts by name.

        Raises:
            Refusal: 400 or 413, naming the part.
        """
        for upload in self.uploads:
            if upload.name not in uploads:
                raise _unknown("file", upload.name, uploads)
        for name in self.fields:
            if name in uploads:
                raise Refusal(400, f"{name} must be a file, with a file name.")
            if name not in fields:
                raise _unknown("field", name, fields)
        for name, most in uploads.items():
            count = sum(upload.name == name for upload in self.uploads)
            if count == 0:
                raise Refusal(400, f"The form has no file {name}; send a picture under that name.")
            if count > most:
                raise Refusal(413, f"{count} files {name} are more than {most}; send fewer.")
        for name, most in fields.items():
            if len(self.fields.get(name, ())) > most:
                raise Refusal(400, f"Field {name} is there more than {most} times.")

    def one(self, name: str) -> str | None:
        """Return the text of a field; None if it isn't there or empty."""
        texts = self.fields.get(name)
        return (texts[0].strip() or None) if texts else None

    def many(self, name: str) -> list[str]:
        """Return the texts of a field that may be there several times; empty ones don't count."""
        return [text for text in self.fields.get(name, ()) if text.strip()]


def boundary_of(content_type: str) -> bytes | None:
    """Return what separates the parts; None if the body is no form with files."""
    found = _BOUNDARY.match(content_type[:1000])
    if found is None:
        return None
    boundary = (found[1] or found[2]).encode("latin-1", "replace")
    if len(boundary) > _MAX_BOUNDARY:
        raise Refusal(400, f"The boundary has more than {_MAX_BOUNDARY} characters.")
    return boundary


def parse_form(body: bytes, boundary: bytes, max_uploads: int) -> Form:
    """Take the body of a ``multipart/form-data`` request apart.

    Args:
        body: All of it.
        boundary: What separates the parts.
        max_uploads: Most files.

    Raises:
        Refusal: 400 if it isn't well-formed or cut off, 413 if there are too many or too large
            parts.
    """
    reader = _PartReader(max_uploads)
    parser = MultipartParser(boundary, reader.callbacks(), max_header_size=_MAX_HEAD)
    try:
        parser.write(body)
    except FormParserError as error:
        raise Refusal(400, f"The form can't be read: {one_line(error, 200)}.") from error
    if not reader.complete:
        raise Refusal(400, "The form is cut off: its last boundary is missing.")
    return reader.form


class _PartReader:
    """Gathers the parts of a form in memory, as the parser finds them."""

    def __init__(self, max_uploads: int) -> None:
        self.form = Form()
        self.complete = False
        self.max_uploads = max_uploads
        self.count = 0
        self._name = self._value = b""
        self._content = bytearray()
        self._headers: dict[bytes, bytes] = {}

    def callbacks(self) -> Any:
        """Return what the parser calls."""
        return dict(
            on_part_begin=self.begin,
            on_header_field=self.header_name,
            on_header_value=self.header_value,
            on_header_end=self.header_end,
            on_part_data=self.data,
            on_part_end=self.end,
            on_end=self.finish,
        )

    def begin(self) -> None:
        """Begin a part."""
        self._headers, self._content = {}, bytearray()
        self.count += 1
        if self.count > self.max_uploads + MAX_FIELDS:
            raise Refusal(
                413,
                f"The form has more than {self.max_uploads + MAX_FIELDS} parts; send fewer "
                "pictures at a time.",
            )

    def header_name(self, data: bytes, start: int, end: int) -> None:
        """Take a piece of the name of a header."""
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        """Take a piece of its value."""
        self._value += data[start:end]

    def header_end(self) -> None:
        """End a header."""
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def data(self, data: bytes, start: int, end: int) -> None:
        """Take a piece of the content."""
        self._content += data[start:end]

    def end(self) -> None:
        """Add the part to the form."""
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        if b"name" not in options:
            raise Refusal(400, "A part of the form has no name.")
        name = _text(options[b"name"], "The name of a part")
        if b"filename" in options:
            self._add_upload(name, options[b"filename"])
        else:
            self._add_field(name)

    def finish(self) -> None:
        """Note that the last boundary is there."""
        self.complete = True

    def _add_upload(self, name: str, file: bytes) -> None:
        file_name = base_name(file.decode("utf-8", "replace").replace("%22", '"'))
        self.form.uploads.append(Upload(name, file_name, bytes(self._content)))
        if len(self.form.uploads) > self.max_uploads:
            raise Refusal(
                413,
                f"More than {self.max_uploads} pictures, the most of one request; "
                "send several requests.",
            )

    def _add_field(self, name: str) -> None:
        if len(self._content) > _MAX_FIELD:
            raise Refusal(413, f"Field {one_line(name)} has more than {_MAX_FIELD} bytes.")
        text = _text(bytes(self._content), f"Field {one_line(name)}")
        self.form.fields.setdefault(name, []).append(text)
        if sum(map(len, self.form.fields.values())) > MAX_FIELDS:
            raise Refusal(413, f"The form has more than {MAX_FIELDS} fields; send fewer.")


def base_name(name: str) -> str:
    """Return the last part of a path of any system, without what can't be shown."""
    return _UNSEEN.sub("", re.split(r"[/\\]", name)[-1]).strip()[-_MAX_NAME:]


def _text(content: bytes, owner: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise Refusal(400, f"{owner} is no text in UTF-8.") from None


def _unknown(kind: str, name: str, known: Mapping[str, int]) -> Refusal:
    listed = ", ".join(known) or "none"
    return Refusal(
        400,
        f"The form has an unknown {kind} {one_line(name)!r}{did_you_mean(name, known)}; "
        f"it may have: {listed}.",
    )
