"""Take a form with files apart: in memory, with a limit on everything that a client chooses.

The parsers of web frameworks write large parts into temporary files. Here a picture never reaches
the disk.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from mmreid_ext.deploy.app.refusals import Refusal
from mmreid_ext.shorten import one_line
from mmreid_ext.suggest import did_you_mean

MAX_FIELDS = 200
"""Parts of a form that are no files."""

_MAX_BOUNDARY = 70  # RFC 2046
_MAX_HEAD = 4096
_MAX_FIELD = 4096
_MAX_NAME = 255
_PARAMETER = re.compile(rb';\s*([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))')
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
    most = max_uploads + MAX_FIELDS
    start = b"--" + boundary
    if not body.startswith(start):
        raise Refusal(400, "The form doesn't begin with its boundary.")
    parts = body[len(start) :].split(b"\r\n" + start, most + 1)
    if len(parts) > most + 1:
        raise Refusal(413, f"The form has more than {most} parts; send fewer pictures at a time.")
    if not parts.pop().startswith(b"--"):
        raise Refusal(400, "The form is cut off: its last boundary is missing.")
    form = Form()
    while parts:
        _take(parts.pop(0), form)
    if len(form.uploads) > max_uploads:
        raise Refusal(
            413,
            f"{len(form.uploads)} pictures are more than {max_uploads}, the most of one request; "
            "send several requests.",
        )
    return form


def _take(part: bytes, form: Form) -> None:
    """Add one part to the form."""
    head, separator, content = part[: _MAX_HEAD + 4].partition(b"\r\n\r\n")
    if not separator:
        raise Refusal(400, f"A part of the form has no headers, or more than {_MAX_HEAD} bytes.")
    content = part[len(head) + 4 :]
    line = next(
        (line for line in head.split(b"\r\n") if line.lower().startswith(b"content-disposition:")),
        b"",
    )
    found = {key.lower(): quoted or plain for key, quoted, plain in _PARAMETER.findall(line)}
    if b"name" not in found:
        raise Refusal(400, "A part of the form has no name.")
    name = _text(found[b"name"], "The name of a part")
    if b"filename" in found:
        form.uploads.append(Upload(name, base_name(_unquoted(found[b"filename"])), content))
        return
    if len(content) > _MAX_FIELD:
        raise Refusal(413, f"Field {one_line(name)} has more than {_MAX_FIELD} bytes.")
    form.fields.setdefault(name, []).append(_text(content, f"Field {one_line(name)}"))
    if sum(map(len, form.fields.values())) > MAX_FIELDS:
        raise Refusal(413, f"The form has more than {MAX_FIELDS} fields; send fewer.")


def base_name(name: str) -> str:
    """Return the last part of a path of any system, without what can't be shown."""
    return _UNSEEN.sub("", re.split(r"[/\\]", name)[-1]).strip()[-_MAX_NAME:]


def _unquoted(text: bytes) -> str:
    plain = re.sub(rb'\\(["\\])', rb"\1", text).decode("utf-8", "replace")
    return plain.replace("%22", '"')


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
