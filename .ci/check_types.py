"""Check types with mypy: clean rooms stay clean, and elsewhere the number of errors only falls.

Run ``python .ci/check_types.py`` from anywhere. Settings of mypy are in ``pyproject.toml``.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

CLEAN = (
    "protocols/",
    "evaluation/",
    "models/",
    "datasets/",
    "apis/",
    "image_loading.py",
    "checkpoint/",
    "visualization/",
    "engine/",
    "cli/",
    "distributed.py",
)
"""Rooms of the package where no error is allowed. A room that became clean belongs here."""

ALLOWED = 0
"""Errors allowed in the rest of the package. Lower it whenever it may be lowered."""

OLDEST_PYTHON = (3, 11)
"""requirements/lock.txt has an older NumPy for Python 3.10, whose stubs give other errors."""


def count_errors(output: str) -> tuple[list[str], int]:
    """Sort what mypy printed.

    Returns:
        The lines of the errors in clean rooms, and the number of errors elsewhere.
    """
    errors = re.findall(r"(?m)^mmreid_ext/(.+?:\d+: error: .+)$", output)
    clean = [line for line in errors if line.startswith(CLEAN)]
    return clean, len(errors) - len(clean)


def judge(output: str, allowed: int = ALLOWED) -> tuple[bool, str]:
    """Return whether the check passes, and what to say."""
    clean, rest = count_errors(output)
    if clean:
        lines = "\n".join(f"mmreid_ext/{line}" for line in clean)
        return False, f"{lines}\n{len(clean)} type errors in rooms that have to be clean."
    if not re.search(r"(?m)^(Found \d+ errors? in|Success: )", output):
        return False, f"{output}\nmypy did not finish."
    if rest > allowed:
        return False, f"{output}\n{rest} type errors, {allowed} are allowed: mend the new ones."
    advice = f" Lower ALLOWED in .ci/check_types.py to {rest}." if rest < allowed else ""
    return True, f"Types: {rest} errors, {allowed} allowed.{advice}"


def main() -> None:
    """Run mypy on the package and exit with an error where it found too much."""
    if sys.version_info < OLDEST_PYTHON:
        print("Types are checked on Python 3.11 and later, beside the NumPy locked there.")
        return
    command = [sys.executable, "-m", "mypy"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    passes, message = judge(result.stdout + result.stderr)
    print(message)
    sys.exit(not passes)


if __name__ == "__main__":
    main()
