# Sourced by dist_train.sh and dist_test.sh.
set -euo pipefail

# launch SCRIPT "POSITIONAL NAMES" NUMBER_OF_THEM ARGUMENTS...: the positional ones, the ranks, the rest
launch() {
    local script=$1 names=$2 count=$3
    shift 3
    if (( $# <= count )) || ! [[ ${*:count+1:1} =~ ^[1-9][0-9]*$ ]]; then
        echo "usage: $(basename "$0") $names RANKS [options of tools/$script]" >&2
        (( $# > count )) && echo "RANKS must be a positive number, got '${*:count+1:1}'" >&2
        exit 2
    fi
    local positional=("${@:1:count}") ranks=${*:count+1:1} tools python
    shift $(( count + 1 ))
    tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
    python=${PYTHON:-python}
    [[ -z ${PYTHON:-} && -x $tools/../.venv/bin/python ]] && python=$tools/../.venv/bin/python

    split_options "$script" "$@"

    local rendezvous=(--standalone)
    if (( ${NNODES:-1} > 1 )); then
        rendezvous=(--node-rank "${NODE_RANK:?set NODE_RANK to 0 .. NNODES-1 on each machine}"
            --master-addr "${MASTER_ADDR:?set MASTER_ADDR to the address of machine 0}"
            --master-port "${MASTER_PORT:-29500}")
    fi
    # Ranks of a CPU run share its cores; torchrun would give each a single thread.
    local cores
    cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo "$ranks")
    export OMP_NUM_THREADS=${OMP_NUM_THREADS:-$(( cores > ranks ? cores / ranks : 1 ))}
    export PYTHONPATH="$tools/..${PYTHONPATH:+:$PYTHONPATH}"
    exec "$python" -m mmreid_ext.cli.restarts.torchrun --nnodes "${NNODES:-1}" --nproc-per-node "$ranks" \
        --max-restarts "$max_restarts" "${rendezvous[@]}" \
        "$tools/$script" "${positional[@]}" --launcher pytorch ${of_tool[@]+"${of_tool[@]}"}
}

# split_options SCRIPT OPTIONS...: take the launcher's own into variables; of_tool gets the rest
split_options() {
    local script=$1
    shift
    max_restarts=0 of_tool=()
    while (( $# )); do
        if [[ $script == train.py && $1 == --max-restarts ]]; then
            max_restarts=${2-} && shift
        elif [[ $script == train.py && $1 == --max-restarts=* ]]; then
            max_restarts=${1#*=}
        else
            of_tool+=("$1")
        fi
        shift || break
    done
    [[ $max_restarts =~ ^[0-9]+$ ]] && return
    echo "--max-restarts must be a number of attempts after the first, got '$max_restarts'" >&2
    exit 2
}
