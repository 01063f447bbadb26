"""Start ranks as ``torchrun`` does, and end as they do.

``tools/dist_train.sh`` and ``tools/dist_test.sh`` call it: ``python -m`` with this module's name
and the arguments of ``torchrun``.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from mmreid_ext.errors import STOPPED_ON_REQUEST, UserError
from mmreid_ext.stopping.attempts import BEGAN, process_start

CAN_BE_ASKED = "train.py"
"""The tool whose ranks end by themselves when they are asked to."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run ``torchrun``; end without its traceback where the ranks have said why.

    The exit code is 75 for a training that was asked to stop, 2 for wrong arguments, the shell's
    for a signal, 1 for every other failure.

    Args:
        arguments: Those of ``torchrun``. Defaults to the command line's.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    if any(Path(word).name == CAN_BE_ASKED for word in words):
        for number in (signal.SIGTERM, signal.SIGUSR1):  # while PyTorch is loaded
            signal.signal(number, _end_before_it_begins)

    from torch.distributed.elastic.multiprocessing import api
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import main as run
    from torch.distributed.run import parse_args

    from mmreid_ext.cli.nodes.roll_call import machines

    from .agent import Requests
    from .reports_folder import reports_folder

    logging.getLogger(api.__name__).addFilter(is_no_announcement)
    given = parse_args(words)
    requests = Requests()
    if Path(given.training_script).name == CAN_BE_ASKED:
        os.environ.setdefault(BEGAN, repr(process_start()))
        requests.install()
    try:
        with machines(given), reports_folder() as reports:
            run(words if given.log_dir else ["--log-dir", reports, *words])
    except UserError as error:
        sys.exit(f"error: {error}")
    except api.SignalException as error:
        sys.exit(128 + error.sigval)  # the first rank has said how to go on
    except ChildFailedError:
        if requests.code in (0, 1):
            raise
        sys.exit(requests.code)


def _end_before_it_begins(number: int, frame: FrameType | None) -> None:
    sys.exit(STOPPED_ON_REQUEST)


def is_no_announcement(record: logging.LogRecord) -> bool:
    """Whether a message is another than that of a signal passed on to a rank, one for each.

    Ranks that end as they were asked to have not failed, so that isn't said either.
    """
    text = str(record.msg)
    if text.startswith("failed (exitcode") and record.args:
        return isinstance(record.args, tuple) and record.args[0] != STOPPED_ON_REQUEST
    return not text.startswith("Sending process")


if __name__ == "__main__":
    main()
