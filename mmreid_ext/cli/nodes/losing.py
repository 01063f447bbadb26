"""End this rank when another one is gone, and say which."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

from mmreid_ext.cli.ranks import end_now
from mmreid_ext.errors import STOPPED_ON_REQUEST, RankLostError, RunStopped, UserError
from mmreid_ext.shorten import one_line

from . import watch
from .hub import Loss

GRACE = 3.0
"""Seconds in which a rank may end by itself after a loss, so that its log file tells, too."""

_PATIENCE = 5.0
"""Seconds in which the watch finds out who was behind a broken connection."""

_OF_A_CONNECTION = re.compile(
    r"connection (was )?(closed|reset|refused)|broken pipe|gloo|nccl|socket|tcpstore|timed? ?out",
    re.IGNORECASE,
)
_OF_WAITING = re.compile(r"timed? ?out", re.IGNORECASE)
_LONGEST = 500


@contextmanager
def watched() -> Iterator[None]:
    """Say why, if the ranks inside the block end because of another one; tell the others our end.

    Raises:
        RankLostError: Instead of what a collective says about a broken connection.
    """
    failed: str | None = None
    try:
        yield
    except KeyboardInterrupt:
        failed = "interrupted by Ctrl-C"
        raise
    except SystemExit as end:
        if end.code not in (None, 0, STOPPED_ON_REQUEST):
            failed = f"ended with {one_line(end.code)}"
        raise
    except RunStopped:
        raise  # all ranks have agreed
    except UserError as error:
        failed = one_line(error, _LONGEST)
        raise
    except Exception as error:
        lost = _behind(error)
        if lost is not None:
            failed = "lost another rank"
            raise lost from error
        failed = one_line(f"{type(error).__name__}: {error}", _LONGEST)
        raise
    finally:
        watch.stop(failed)


def end_after(loss: Loss) -> None:
    """Give this rank time to end by itself, then end the process."""
    time.sleep(GRACE)
    end_now(f"error: {_message(loss)}")


def _behind(error: Exception) -> RankLostError | None:
    """Return the loss that is behind an error, None if it has nothing to do with other ranks."""
    seen = watch.current()
    text = f"{type(error).__name__}: {error}"
    if seen is None or not isinstance(error, RuntimeError) or not _OF_A_CONNECTION.search(text):
        return None
    loss = seen.wait_for_loss(_PATIENCE)
    if loss is not None:
        return RankLostError(_message(loss))
    if _OF_WAITING.search(text):
        return RankLostError(
            f"rank {seen.rank}: another rank did not come to the same point in time, though all "
            f"are alive ({one_line(error, _LONGEST)}); if it works alone for longer, raise "
            "env_cfg.dist_cfg.timeout (seconds)."
        )
    return None


def _message(loss: Loss) -> str:
    return (
        f"{loss}; all ranks stop. Look at the output of that machine, then go on from the last "
        "checkpoint with --resume."
    )
