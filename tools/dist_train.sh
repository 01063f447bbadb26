#!/usr/bin/env bash
# Train on several ranks: tools/dist_train.sh CONFIG RANKS [--max-restarts R] [arguments of tools/train.py]
#
# When a rank dies, all start again from the last checkpoint, at most R times (default: 0).
# One rank per GPU; on a machine without a GPU the ranks run on gloo and share the cores.
# Several machines: run the same command on each with NNODES, NODE_RANK, MASTER_ADDR and MASTER_PORT set.
source "$(dirname "${BASH_SOURCE[0]}")/_launch.sh"
launch train.py CONFIG 1 "$@"
