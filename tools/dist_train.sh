#!/usr/bin/env bash
# Train on several ranks: tools/dist_train.sh CONFIG RANKS [arguments of tools/train.py]
#
# One rank per GPU; on a machine without a GPU the ranks run on gloo and share the cores.
# Several machines: run the same command on each with NNODES, NODE_RANK, MASTER_ADDR and MASTER_PORT set.
source "$(dirname "${BASH_SOURCE[0]}")/_launch.sh"
launch train.py CONFIG 1 "$@"
