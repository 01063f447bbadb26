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
    exec "$python" -m mmreid_ext.cli.screen.torchrun --nnodes "${NNODES:-1}" --nproc-per-node "$ranks" \
        "${rendezvous[@]}" "$tools/$script" "${positional[@]}" --launcher pytorch "$@"
}
