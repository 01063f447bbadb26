#!/usr/bin/env bash
# Run the tests: bash tools/run_tests.sh [arguments of pytest], from anywhere.
#
# Needs Python 3.10 to 3.13 with pip, nothing else: makes .venv from requirements/lock.txt the first time.
# One process per core runs them; "-n 0" runs them in one, which starts sooner for a few tests.
source "$(dirname "${BASH_SOURCE[0]}")/_venv.sh"

# The tests work on small tensors and start processes of their own: more threads only get in the way.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} MKL_NUM_THREADS=${MKL_NUM_THREADS:-1}
cd "$root"
exec "$python" -m pytest -q -n auto --maxprocesses 8 --dist worksteal "$@"
