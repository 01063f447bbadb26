#!/usr/bin/env bash
# Two machines on one host: real faults of machines and cables, and the weights that come out.
#
#   tools/stress/two_nodes.sh [REPORT.md [FAULT...]]
#
# FAULTs: forgotten, killed, pulled, restart, replugged, rebooted (default: all).
# Each machine is a network namespace with an address of its own; a pair of veth is the cable. Needs root and
# iproute2; ends with 77 where namespaces can't be made. Takes about 15 minutes on two cores.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
python=${PYTHON:-$root/.venv/bin/python}
[[ -x $python ]] || python=python
all=(forgotten killed pulled restart replugged rebooted)
report=${1:-} faults=("${@:2}")
(( ${#faults[@]} )) || faults=("${all[@]}")
for fault in "${faults[@]}"; do
    if ! [[ " ${all[*]} " == *" $fault "* ]]; then
        echo "usage: $(basename "$0") [REPORT.md [FAULT...]]; FAULT must be one of ${all[*]}, got '$fault'" >&2
        exit 2
    fi
done
work=$(mktemp -d) id=$$ failures=0 rows=()
mkdir "$work/temporary" # goes with the rest, whoever is killed
export TMPDIR=$work/temporary PYTHONPATH=$root PYTHON=$python OMP_NUM_THREADS=1 MMREID_SILENCE_SECONDS=${MMREID_SILENCE_SECONDS:-10}
unset NNODES NODE_RANK MASTER_ADDR MASTER_PORT GLOO_SOCKET_IFNAME NCCL_SOCKET_IFNAME

space() { echo "mmreid$id$1"; }

# end_space NAME: what runs in a namespace ends, the namespace goes with its end of the cable
end_space() {
    local p
    for p in $(ip netns pids "$1" 2>/dev/null); do kill -9 "$p" 2>/dev/null || true; done
    ip netns del "$1" 2>/dev/null || true
}

# The names hold the number of the run: what a killed one left goes now.
sweep() {
    local name
    for name in $(ip netns list 2>/dev/null | sed -nE 's/^(mmreid[0-9]+[ab])( .*)?$/\1/p'); do
        [[ $name =~ ([0-9]+) ]] && ! kill -0 "${BASH_REMATCH[1]}" 2>/dev/null && end_space "$name"
    done
    return 0
}

lay_cable() {
    local m
    sweep
    ip netns add "$(space a)" && ip netns add "$(space b)" || return 1
    ip link add "mmr${id}a" type veth peer name "mmr${id}b" || return 1
    for m in a b; do
        ip link set "mmr$id$m" netns "$(space $m)"
        ip -n "$(space $m)" addr add "10.99.7.$([[ $m == a ]] && echo 1 || echo 2)/24" dev "mmr$id$m"
        ip -n "$(space $m)" link set lo up
        ip -n "$(space $m)" link set "mmr$id$m" up
    done
}

end_all() {
    local m
    trap '' TERM INT
    for m in a b; do end_space "$(space $m)"; done
    ip link del "mmr${id}a" 2>/dev/null || true
    rm -rf "$work"
}
trap end_all EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

unplug() { ip -n "$(space b)" link set "mmr${id}b" down; }
plug_in() { ip -n "$(space b)" link set "mmr${id}b" up; }

# start RUN MACHINE [options]: the launcher of one machine; its output goes to RUN.MACHINE.log
start() {
    local run=$1 machine=$2 number=0
    shift 2
    [[ $machine == b ]] && number=1
    NNODES=2 NODE_RANK=$number MASTER_ADDR=10.99.7.1 MASTER_PORT=29517 setsid ip netns exec "$(space "$machine")" \
        timeout -k 5 400 bash "$root/tools/dist_train.sh" "$work/tiny.py" 1 --work-dir "$work/$run" "$@" \
        >>"$work/$run.$machine.log" 2>&1 &
    launcher[$machine]=$!
}

# rank MACHINE: the process of its rank
rank() {
    local p
    for p in $(ip netns pids "$(space "$1")"); do
        if tr '\0' '\n' <"/proc/$p/environ" 2>/dev/null | grep -q '^LOCAL_RANK='; then
            echo "$p" && return
        fi
    done
}

until_saved() { # RUN ITERATION
    local end=$((SECONDS + 150))
    until [[ -e $work/$1/iter_$2.pth ]]; do
        ((SECONDS < end)) || { tail -n 40 "$work/$1".*.log && return 1; }
        sleep 0.2
    done
}

# finished RUN: wait for both launchers; their exit codes
finished() {
    code_a=0 code_b=0
    wait "${launcher[a]}" || code_a=$?
    wait "${launcher[b]}" || code_b=$?
}

# check NAME EXPECTED FOUND
check() {
    local verdict=ok
    [[ $2 == "$3" ]] || { verdict=FAILED failures=$((failures + 1)); }
    rows+=("| $1 | $3 | $verdict |")
    echo "$verdict: $1: $3 (expected $2)"
    [[ $verdict == ok ]] || tail -n 30 "$work"/*.log
}

same_weights() { # RUN: its last weights against those of the undisturbed run
    "$python" - "$work/quiet/iter_$iters.pth" "$work/$1/iter_$iters.pth" <<'PY'
import sys, torch
first, other = (torch.load(file, weights_only=False)["state_dict"] for file in sys.argv[1:])
print("equal" if first.keys() == other.keys() and all(torch.equal(first[k], other[k]) for k in first) else "different")
PY
}

said() { grep -qE "$3" "$work/$1.$2.log" && echo said || echo missing; }

iters=400
write_run() {
    "$python" "$root/tools/make_synthetic.py" --out "$work/data" --domains 1 --ids 8 --size 32 16 >/dev/null
    cat >"$work/tiny.py" <<PY
_base_ = "$root/configs/_base_/default_runtime.py"
model = dict(
    type="mmreid_ext.ReIDModel",
    backbone=dict(
        type="ResNet", depth=18, stem_channels=4, base_channels=4, num_stages=1, strides=(1,),
        dilations=(1,), out_indices=(0,), norm_cfg=dict(type="mmreid_ext.SyncBN"),
    ),
    head=dict(
        type="mmreid_ext.BNNeckHead", num_classes=4, in_channels=4,
        losses=dict(ce=dict(type="mmreid_ext.LabelSmoothingLoss")),
    ),
)
train_dataloader = dict(
    batch_size=4, num_workers=0, collate_fn=dict(type="mmreid_ext.reid_collate"),
    sampler=dict(type="mmreid_ext.PKSampler", num_instances=2),
    dataset=dict(
        type="mmreid_ext.SyntheticReID", domain=0, data_root="$work/data", mode="train",
        pipeline=[
            dict(type="LoadImageFromFile"), dict(type="mmreid_ext.HorizontalFlip", prob=0.5),
            dict(type="mmreid_ext.PackReIDInputs"),
        ],
    ),
)
train_cfg = dict(type="mmreid_ext.ReIDTrainLoop", max_iters=$iters)
val_cfg = test_cfg = None
optim_wrapper = dict(optimizer=dict(type="Adam", lr=0.001))
default_hooks = dict(checkpoint=dict(interval=20, max_keep_ckpts=-1))
randomness = dict(seed=0)
PY
}

again=(--max-restarts 3)
try_forgotten() {
    start forgotten a --iters 1 && sleep 40
    check "machine 1 forgotten: said within 40 s" said "$(said forgotten a 'waiting, machine 1 of 2 has not come')"
    start forgotten b --iters 2 && finished
    check "other options on machine 1: exit codes" "1 1" "$code_a $code_b"
    check "other options on machine 1: named on machine 0" said "$(said forgotten a 'rank 1 on machine 1 .*max_iters')"
}

try_killed() {
    for m in a b; do
        other=$([[ $m == a ]] && echo b || echo a)
        start killed_$m a && start killed_$m b && until_saved killed_$m 40
        kill -9 "$(rank $m)" && began=$SECONDS && finished
        check "rank of machine $m killed: exit codes" "1 1" "$code_a $code_b"
        check "rank of machine $m killed: all over within 10 s" yes "$( ((SECONDS - began <= 10)) && echo yes || echo $((SECONDS - began)) s)"
        check "rank of machine $m killed: named on the other" said "$(said killed_$m $other 'rank [01] on machine [01] .* has died')"
    done
}

try_pulled() {
    start pulled a && start pulled b && until_saved pulled 40
    unplug && began=$SECONDS && finished
    check "cable pulled: exit codes" "1 1" "$code_a $code_b"
    check "cable pulled: all over within 30 s" yes "$( ((SECONDS - began <= 30)) && echo yes || echo $((SECONDS - began)) s)"
    for m in a b; do
        check "cable pulled: said on $m" said "$(said pulled $m 'has given no sign of life')"
    done
    plug_in
}

try_restart() {
    for m in a b; do
        start restart_$m a "${again[@]}" && start restart_$m b "${again[@]}" && until_saved restart_$m 40
        kill -9 "$(rank $m)" && finished
        check "rank of machine $m killed, restart: exit codes" "0 0" "$code_a $code_b"
        check "rank of machine $m killed, restart: weights" equal "$(same_weights restart_$m)"
    done
}

try_replugged() {
    for outage in 4 40; do
        run=replugged_$outage
        start $run a "${again[@]}" && start $run b "${again[@]}" && until_saved $run 40
        unplug && sleep $outage && plug_in && finished
        check "cable out for $outage s, restart: exit codes" "0 0" "$code_a $code_b"
        check "cable out for $outage s, restart: weights" equal "$(same_weights $run)"
    done
}

try_rebooted() {
    start rebooted a "${again[@]}" && start rebooted b "${again[@]}" && until_saved rebooted 40
    for p in $(ip netns pids "$(space b)"); do kill -9 "$p" || true; done
    wait "${launcher[b]}" || true
    sleep 5
    start rebooted b "${again[@]}" --resume && finished # the command again, by hand
    check "machine 1 rebooted, its command started again with --resume: exit codes" "0 0" "$code_a $code_b"
    check "machine 1 rebooted, its command started again with --resume: weights" equal "$(same_weights rebooted)"
}

declare -A launcher
(( EUID == 0 )) && command -v ip >/dev/null && lay_cable 2>"$work/why" || {
    echo "skipped: network namespaces can't be made here (root and iproute2 are needed): $(cat "$work/why" 2>/dev/null)"
    exit 77
}
write_run
echo "two machines: 10.99.7.1, 10.99.7.2; silence ${MMREID_SILENCE_SECONDS} s; $iters iterations"

start quiet a && start quiet b && finished
check "undisturbed: exit codes" "0 0" "$code_a $code_b"

for fault in "${faults[@]}"; do
    "try_$fault"
done

if [[ -n $report ]]; then
    { echo "| fault | found | verdict |" && echo "|---|---|---|" && printf '%s\n' "${rows[@]}"; } >"$report"
fi
echo "${#rows[@]} checks, $failures failed"
(( failures == 0 ))
