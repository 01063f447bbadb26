"""Write rows of text as a table with aligned columns."""

from __future__ import annotations

from collections.abc import Sequence


def text_table(
    rows: Sequence[Sequence[str]], *, left: int | None = None, ruled: bool = True
) -> str:
    """Align columns, two spaces apart; lines end without spaces.

    Args:
        rows: Cells by row, equally many in each; the first row is the header.
        left: The first ``left`` columns are aligned to the left, the others to the right. Defaults
            to None, all to the left.
        ruled: Whether a line of hyphens stands below the header.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    left = len(widths) if left is None else left
    lines = [
        "  ".join(
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    if ruled:
        lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)
