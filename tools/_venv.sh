# Sourced by quickstart.sh, run_tests.sh and .ci/run: an environment holding requirements/lock.txt.
#
# Afterwards $root is the repository and $python the environment's interpreter. PYTHON chooses the
# interpreter to build it with, MMREID_VENV the folder (default: .venv in the repository).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=${MMREID_VENV:-$root/.venv}
python=$venv/bin/python

supported_python() {
    local candidate
    for candidate in ${PYTHON:-python3.11 python3.12 python3.13 python3.10 python3 python}; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' \
            2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "No Python 3.10 to 3.13 found. Install one (Debian, Ubuntu: apt install python3" \
        "python3-venv), or name it: PYTHON=/path/to/python3.11 bash $0" >&2
    return 1
}

make_venv() {
    local base
    base=$(supported_python)
    echo "Making $venv with $("$base" --version)"
    if ! "$base" -m venv "$venv"; then
        rm -rf "$venv"
        echo "$base cannot make environments with pip. Debian, Ubuntu: apt install python3-venv" >&2
        return 1
    fi
}

# What the environment was made from; another lock file or setup.py installs it again.
fingerprint() {
    "$python" - "$root/requirements/lock.txt" "$root/setup.py" <<'PYTHON'
import hashlib, pathlib, sys
print(hashlib.sha256(b"".join(pathlib.Path(p).read_bytes() for p in sys.argv[1:])).hexdigest())
PYTHON
}

ensure_venv() {
    local stamp=$venv/mmreid_ext.lock
    [[ -x $python ]] || make_venv
    if [[ $(cat "$stamp" 2>/dev/null) == "$(fingerprint)" ]]; then
        return
    fi
    echo "Installing requirements/lock.txt (once; PyTorch with its GPU libraries is the bulk of it)"
    "$python" -m pip install --disable-pip-version-check -r "$root/requirements/lock.txt"
    "$python" -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation \
        --editable "$root"
    fingerprint > "$stamp"
}

ensure_venv
