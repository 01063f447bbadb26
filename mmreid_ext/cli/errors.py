"""Errors of a command line: one line for what the user can mend, a traceback for a bug."""

from __future__ import annotations

import errno
import os
import select
import sys
import traceback
from collections.abc import Callable

from mmreid_ext.errors import STOPPED_ON_REQUEST, RankLostError, RunStopped, UserError, printable
from mmreid_ext.library_defaults import set_library_defaults
from mmreid_ext.stopping.attempts import elastic_restarts, give_up, verdict

from .explain import explanation
from .ranks import (
    INTERRUPTED,
    end_now,
    is_launched,
    report_interrupt,
    report_once,
    report_stop,
    require_one_process,
)

MENDABLE = (
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EISDIR,
    errno.ENOTDIR,
)
"""Refusals of the operating system that name a place: no permission, no space, no folder."""

USAGE = 2
"""Exit code for wrong arguments."""

LONGEST = 3000
"""Characters of a message; names of strangers can be of any length."""

READER_LEFT = 141
"""Exit code where nobody reads the output any more: the shell's for the signal SIGPIPE."""


def run_tool(
    main: Callable[[], int | None], instead_of_ranks: str | None = None, code: int = 1
) -> None:
    """Call ``main`` and end the program as its errors deserve.

    A :class:`mmreid_ext.errors.UserError` is shown as its message, and the exit code is ``code``.
    Ctrl-C gives 130, a run that was asked to stop 75. Every other exception is a bug and keeps its
    traceback. On several ranks one of them speaks for all. The environment variable
    ``MMREID_TRACEBACK`` shows a traceback in each case.

    Where torchrun makes several attempts, it makes no further one after what would only happen
    again: what the user has to mend, and what he wanted.

    Args:
        main: Does the work. A number that it returns, other than 0, is the exit code.
        instead_of_ranks: For a tool of one process: what to do if several were started.
        code: Exit code for what the user can mend.
    """
    set_library_defaults()
    ended = None
    over = verdict() if elastic_restarts() else None
    if over is not None:
        report_once(over.text, over.code)
    try:
        if instead_of_ranks is not None:
            require_one_process(instead_of_ranks)
        ended = _while_read(main)
    except KeyboardInterrupt as error:
        if os.environ.get("MMREID_TRACEBACK"):
            raise
        give_up(INTERRUPTED, "interrupted")
        report_interrupt(str(error) or "interrupted")
    except RunStopped as stop:
        give_up(STOPPED_ON_REQUEST, str(stop))
        report_stop(str(stop), STOPPED_ON_REQUEST)
    except SystemExit as error:
        if error.code == USAGE:
            give_up(USAGE, "wrong arguments")
        raise
    except Exception as error:
        _report(error, code)
        raise
    if ended:
        raise SystemExit(ended)


def _report(error: Exception, code: int) -> None:
    """End the program with the message of an error; return if the error has to show itself."""
    text = user_message(error) or _of_settings(error)
    text = text and _bearable(text)
    if text is not None and not isinstance(error, RankLostError):
        give_up(code, f"error: {text}")
    if os.environ.get("MMREID_TRACEBACK"):
        return
    if isinstance(error, RankLostError) and is_launched():
        end_now(f"error: {text}")
    if text is not None:
        report_once(f"error: {text}\n(MMREID_TRACEBACK=1 shows where it was raised)", code)
    report_once("".join(traceback.format_exception(error)).rstrip(), 1, alone=False)


def _of_settings(error: Exception) -> str | None:
    """What to tell where a configuration made another package fail; None if it didn't."""
    if "mmengine" not in sys.modules:
        return None
    return explanation(error, {})


def _bearable(text: str) -> str:
    """The message without control characters, which may be a file's, and not endless."""
    plain = printable(text)
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 200]} … {plain[-200:]}"


def _while_read(main: Callable[[], int | None]) -> int | None:
    """Call ``main``, and end quietly if the reader of its output leaves, as ``head`` does."""
    try:
        ended = main()
        sys.stdout.flush()
        return ended
    except BrokenPipeError:
        if not _reader_left():
            raise  # a pipe to another process
        # Python writes what is left when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(READER_LEFT) from None


def _reader_left() -> bool:
    if not hasattr(select, "poll"):  # Windows
        return False
    output = select.poll()
    output.register(sys.stdout.fileno(), 0)  # errors are reported without being asked for
    return any(event & select.POLLERR for _, event in output.poll(0))


def user_message(error: Exception) -> str | None:
    """Return what to tell the user, ``None`` if the error is a bug."""
    if isinstance(error, UserError):
        return _without_worker(error)
    if isinstance(error, OSError) and error.errno in MENDABLE:
        place = f": {error.filename}" if error.filename is not None else ""
        return f"{os.strerror(error.errno)}{place}"
    return None


def _without_worker(error: UserError) -> str:
    """Return the message without the traceback that PyTorch puts before that of a worker."""
    text = str(error)
    if text.startswith("Caught ") and "Original Traceback" in text:
        return text.rpartition(f"{type(error).__name__}: ")[2].strip()
    return text
