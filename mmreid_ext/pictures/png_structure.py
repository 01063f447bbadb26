"""Follow the chunks of a PNG file before it is decoded.

Decoders allocate what a chunk says that it holds: one flipped bit in a length costs OpenCV 4 GB and
six seconds. Deflate shrinks data at most 1032-fold (zlib's technical notes), so the size of the
file also limits the picture that it can hold.
"""

from __future__ import annotations

PNG_START = b"\x89PNG\r\n\x1a\n"

_HEADER = 13  # bytes of IHDR
_AROUND = 12  # length, name and checksum of a chunk
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
_MOST_DEFLATED = 1032


def check_png(content: bytes) -> None:
    """Refuse a PNG file whose chunks aren't there, or can't hold the picture.

    Args:
        content: The file, beginning with :data:`PNG_START`.

    Raises:
        OSError: If a chunk is longer than the file, the end is missing, or the compressed data are
            too short for the size that the file declares.
    """
    position, data, header = len(PNG_START), 0, b""
    while True:
        length = int.from_bytes(content[position : position + 4], "big")
        name = content[position + 4 : position + 8]
        end = position + _AROUND + length
        if len(name) < 4 or end > len(content):
            raise OSError("the file is cut off or damaged: a part of it is longer than the file")
        if not header:
            if name != b"IHDR" or length != _HEADER:
                raise OSError("the file is damaged: it has no header")
            header = content[position + 8 : position + 8 + length]
        if name == b"IDAT":
            data += length
        if name == b"IEND":
            break
        position = end
    _check_amount(header, data)


def _check_amount(header: bytes, data: int) -> None:
    width, height = (int.from_bytes(header[i : i + 4], "big") for i in (0, 4))
    bits = header[8] * _CHANNELS.get(header[9], 1)
    needed = height * ((width * bits + 7) // 8)
    if needed > data * _MOST_DEFLATED:
        raise OSError(
            f"the file is damaged: {width} x {height} pixels can't come from {data:,} bytes"
        )
