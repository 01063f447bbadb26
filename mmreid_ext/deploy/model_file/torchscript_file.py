"""Read metadata from a TorchScript file, without PyTorch."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path


def torchscript_metadata(file: Path, key: str, longest: int) -> str | None:
    """Return an entry of ``_extra_files`` of a TorchScript file; None if it has none.

    Args:
        file: The file.
        key: Name of the entry.
        longest: Bytes of the longest entry that is read.

    Raises:
        OSError: If it is no such file, or the entry is longer.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            for entry in archive.infolist():
                if entry.filename.split("/")[1:] != ["extra", key]:
                    continue
                with archive.open(entry) as opened:
                    content = opened.read(longest + 1)
                if len(content) > longest:
                    raise OSError(f"its record is longer than {longest:,} bytes")
                return content.decode()
    except (zipfile.BadZipFile, zlib.error, ValueError, RuntimeError, EOFError) as error:
        raise OSError(f"it is no TorchScript file ({error})") from error
    return None
