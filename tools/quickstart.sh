#!/usr/bin/env bash
# From nothing to a trained, tested and pictured MetaBIN: bash tools/quickstart.sh, from anywhere.
#
# Needs Python 3.10 to 3.13 with pip; no data set, no GPU. Installs into .venv the first time; after that
# at most ten minutes on two CPU cores. Everything goes to work_dirs/quickstart in the repository.
# A second run reuses whatever is finished; an interrupted one continues. Options: --help.
source "$(dirname "${BASH_SOURCE[0]}")/_venv.sh"

cd "$root"
exec "$python" tools/quickstart.py "$@"
