#!/usr/bin/env bash
# Test with other versions of Python, PyTorch and the mm* packages, and as an installed package; one table at the end.
#
#   bash tools/test_stacks.sh [--only NAME]... [--report FILE] [--remove]
#
# NAME is lock, upstream-newest, onedl-newest, upstream-oldest or package. Each stack has an environment of its own
# in a cache folder (MMREID_STACKS; default: ~/.cache/mmreid_ext/stacks) that the next call takes up again; with PyTorch's GPU
# libraries it has 3 to 6 GB, and --remove deletes it after its row. Needs the network, and CPython 3.10 to 3.13: on PATH, or
# those of pyenv and uv. A stack whose Python isn't there is named.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
for python in ${PYTHON:-python3.11 python3.12 python3.13 python3.10 python3}; do
    if "$python" -c 'import sys; sys.exit(sys.version_info[:2] < (3, 10))' 2>/dev/null; then
        PYTHONPATH=$root${PYTHONPATH:+:$PYTHONPATH} exec "$python" "$root/tools/stacks/run.py" "$@"
    fi
done
echo "No Python 3.10 or later found. Install one, or name it: PYTHON=/path/to/python3.11 bash $0" >&2
exit 1
