#!/usr/bin/env bash
# Train on a Slurm cluster: tools/slurm_train.sh PARTITION JOB_NAME CONFIG RANKS [--requeue] [arguments of tools/train.py]
#
# With --requeue in a batch job: a training that was asked to stop (exit code 75) puts its job back into the queue.
# RANKS_PER_NODE (default: 8, at most RANKS), CPUS_PER_TASK (5), SRUN_ARGS (none) and GRES (gpu:RANKS_PER_NODE;
# empty for a run without GPUs) come from the environment.
set -euo pipefail
if (( $# < 4 )) || ! [[ $4 =~ ^[1-9][0-9]*$ ]]; then
    echo "usage: $(basename "$0") PARTITION JOB_NAME CONFIG RANKS [options of tools/train.py]" >&2
    exit 2
fi
partition=$1 job=$2 config=$3 ranks=$4
shift 4
of_tool=() requeue=
for option; do
    if [[ $option == --requeue ]]; then requeue=yes; else of_tool+=("$option"); fi
done
if [[ $requeue && -z ${SLURM_JOB_ID:-} ]]; then
    echo "--requeue puts the batch job back into the queue, but this is none (SLURM_JOB_ID is not set): use sbatch" >&2
    exit 2
fi
per_node=${RANKS_PER_NODE:-$(( ranks < 8 ? ranks : 8 ))}
gres=${GRES-gpu:$per_node}
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export PYTHONPATH="$tools/..${PYTHONPATH:+:$PYTHONPATH}" MASTER_PORT=${MASTER_PORT:-29500}
# shellcheck disable=SC2086  # SRUN_ARGS holds several arguments
code=0
srun -p "$partition" --job-name="$job" --ntasks="$ranks" --ntasks-per-node="$per_node" \
    ${gres:+--gres="$gres"} --cpus-per-task="${CPUS_PER_TASK:-5}" --kill-on-bad-exit=1 ${SRUN_ARGS:-} \
    bash -c 'export MASTER_ADDR=${MASTER_ADDR:-$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)}; exec "$@"' _ \
    "${PYTHON:-python}" -u "$tools/train.py" "$config" --launcher slurm ${of_tool[@]+"${of_tool[@]}"} || code=$?
if [[ $requeue && $code == 75 ]]; then
    scontrol requeue "$SLURM_JOB_ID" || { echo "scontrol can't requeue job $SLURM_JOB_ID" >&2; exit 1; }
    echo "job $SLURM_JOB_ID is in the queue again"
fi
exit "$code"
