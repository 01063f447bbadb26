#!/usr/bin/env bash
# Test on several ranks: tools/dist_test.sh CONFIG CHECKPOINT RANKS [arguments of tools/test.py]
#
# Several machines: NNODES, NODE_RANK, MASTER_ADDR and MASTER_PORT, as in dist_train.sh.
source "$(dirname "${BASH_SOURCE[0]}")/_launch.sh"
launch test.py "CONFIG CHECKPOINT" 2 "$@"
