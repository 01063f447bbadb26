"""Start ranks as ``torchrun`` does, but let Ctrl-C end them without a traceback of the launcher.

``tools/dist_train.sh`` and ``tools/dist_test.sh`` call it: ``python -m`` with this module's name
and the arguments of ``torchrun``.
"""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Sequence

from mmreid_ext.errors import UserError


def main(arguments: Sequence[str] | None = None) -> None:
    """Run ``torchrun``; end with the shell's exit code if a signal interrupts it.

    Args:
        arguments: Those of ``torchrun``. Defaults to the command line's.
    """
    from torch.distributed.elastic.multiprocessing import api
    from torch.distributed.run import main as run
    from torch.distributed.run import parse_args

    from mmreid_ext.cli.nodes.roll_call import machines

    logging.getLogger(api.__name__).addFilter(is_no_announcement)
    try:
        with machines(parse_args(arguments)):
            run(arguments)
    except UserError as error:
        sys.exit(f"error: {error}")
    except api.SignalException as error:
        if error.sigval != signal.SIGINT:
            raise
        sys.exit(128 + signal.SIGINT)  # the first rank has said how to go on


def is_no_announcement(record: logging.LogRecord) -> bool:
    """Whether a message is another than that of a signal passed on to a rank, one for each."""
    return not str(record.msg).startswith("Sending process")


if __name__ == "__main__":
    main()
