#!/usr/bin/env bash
# Kill ranks of real runs at random moments, let them restart by themselves, compare their ends bit for bit.
#
#   tools/stress/restart.sh [RUNS [REPORT.md [RECIPE...]]]
#
# RUNS (default: 10) of each recipe (metabin, baseline, xbm) on two ranks are started by tools/dist_train.sh. In each, one to
# three ranks are killed, or the launcher gets a SIGTERM, after which the same command is started again. SEED (0) draws.
# ITERS (60) is the length of a run. Ends with 1 and keeps the runs if one differs. About a minute a run on two cores.
set -euo pipefail
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=${PYTHON:-$tools/../.venv/bin/python}
[[ -x $python ]] || python=python
runs=${1:-10} report=${2:-} recipes=("${@:3}")
(( ${#recipes[@]} )) || recipes=(metabin baseline xbm)
if ! [[ $runs =~ ^[1-9][0-9]*$ ]]; then
    echo "usage: $(basename "$0") [RUNS [REPORT.md [RECIPE...]]]; RUNS must be a positive number, got '$runs'" >&2
    exit 2
fi
export PYTHON=$python PYTHONPATH=$tools/..:$tools/stress OMP_NUM_THREADS=1 CUDA_VISIBLE_DEVICES=
unset NNODES NODE_RANK MASTER_ADDR MASTER_PORT
RANDOM=${SEED:-0} iters=${ITERS:-60}
work=$(mktemp -d) failures=0 launcher='' rows=()
mkdir "$work/temporary" && export TMPDIR=$work/temporary # goes with the rest, whoever is killed

clean_up() {
    [[ -z $launcher ]] || kill -KILL -- "-$launcher" 2>/dev/null || true
    if (( failures )); then echo "the runs are in $work"; else rm -rf "$work"; fi
}
trap clean_up EXIT

"$python" - "$work" "$iters" "${recipes[@]}" <<'PY'
import sys
from pathlib import Path

from stress_parts import recipes

work, iters, names = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
people = recipes.draw_people(work / "people")
for name in names:
    cfg = recipes.configuration(name, people, work / name, iters=iters, save_every=3, validate_every=20)
    del cfg._cfg_dict["work_dir"]
    cfg.dump(work / f"{name}.py")
PY

# begin RECIPE RUN: start a run in a session of its own; its output goes to RUN.log
begin() {
    setsid timeout -k 5 300 bash "$tools/dist_train.sh" "$work/$1.py" 2 --max-restarts 3 --work-dir "$work/$2" \
        "${@:3}" >>"$work/$2.log" 2>&1 &
    launcher=$!
}

# saved RUN: number of its last checkpoint, 0 without one
saved() {
    local name
    name=$(cat "$work/$1/last_checkpoint" 2>/dev/null) || true
    name=${name##*iter_}
    echo "${name%.pth}" | grep -E '^[0-9]+$' || echo 0
}

# ranks: their processes
ranks() {
    local torchrun
    torchrun=$(pgrep -P "$launcher" || true)
    [[ -z $torchrun ]] || pgrep -P "$torchrun" -f 'tools/train.py' || true
}

# until_saved RUN ITERATION: wait for a checkpoint of it or of a later one, or for the end of the run
until_saved() {
    local end=$((SECONDS + 200))
    while (( $(saved "$1") < $2 )) && kill -0 "$launcher" 2>/dev/null && (( SECONDS < end )); do sleep 0.1; done
}

disturb() { # RECIPE RUN: kills and requests; prints nothing, counts in the variables killed and asked
    local events=$(( RANDOM % 3 + 1 )) at=0 victims event code
    killed=0 asked=0
    for (( event = 0; event < events; event++ )); do
        at=$(( at + RANDOM % (iters / 3) ))
        until_saved "$2" "$at"
        sleep "0.$(( RANDOM % 10 ))"
        if (( RANDOM % 4 == 0 )); then
            pkill -TERM -P "$launcher" 2>/dev/null || continue
            code=0; wait "$launcher" || code=$?
            (( code == 0 )) && return # it had come to its end
            if (( code == 143 && $(saved "$2") == 0 )); then code=75; fi # before Python had begun
            if (( code != 75 )); then echo "exit code $code after SIGTERM" >>"$work/$2.log" && return 1; fi
            asked=$(( asked + 1 ))
            if (( $(saved "$2") )); then begin "$1" "$2" --resume; else begin "$1" "$2"; fi
        else
            mapfile -t victims < <(ranks)
            (( ${#victims[@]} )) || continue
            kill -"$( (( RANDOM % 2 )) && echo KILL || echo SEGV)" "${victims[RANDOM % ${#victims[@]}]}" 2>/dev/null || continue
            killed=$(( killed + 1 ))
        fi
    done
}

same() { # RECIPE RUN: the last checkpoints of two runs, state by state
    "$python" - "$work/$1" "$work/$2" <<'PY'
import sys
from pathlib import Path

from stress_parts.equal import state_differences

print("; ".join(state_differences(*map(Path, sys.argv[1:]))[:3]) or "equal")
PY
}

for recipe in "${recipes[@]}"; do
    begin "$recipe" "$recipe"
    wait "$launcher" || { tail -n 30 "$work/$recipe.log"; failures=1; exit 1; }
    kills=0 requests=0 attempts=0 differ=0
    for (( run = 1; run <= runs; run++ )); do
        name=${recipe}_$run
        begin "$recipe" "$name"
        code=0 ended=equal
        disturb "$recipe" "$name" || code=$?
        wait "$launcher" 2>/dev/null || code=$?
        (( code == 0 )) && ended=$(same "$recipe" "$name") || ended="exit code $code"
        kills=$(( kills + killed )) requests=$(( requests + asked ))
        attempts=$(( attempts + $(grep -c '^restart [0-9]*: ' "$work/$name.log" || true) ))
        [[ -z $(pgrep -s "$launcher" || true)$(pgrep -f -- "--work-dir $work/$name( |\$)" || true) ]] ||
            ended="processes were left" # ranks have sessions of their own
        echo "$name: $killed killed, $asked asked to stop: $ended"
        if [[ $ended == equal ]]; then rm -rf "${work:?}/$name"; else differ=$(( differ + 1 )); tail -n 20 "$work/$name.log"; fi
    done
    failures=$(( failures + differ ))
    rows+=("| $recipe | $runs | $kills | $requests | $attempts | $differ |")
done
table=$(printf '%s\n' "| recipe | runs | ranks killed | SIGTERM | restarts | ends that differ |" "|---|---|---|---|---|---|" "${rows[@]}")
echo "$table"
[[ -z $report ]] || echo "$table" >"$report"
(( failures == 0 ))
