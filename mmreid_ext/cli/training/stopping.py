"""Let a training of ``tools/train.py`` be stopped, and say how it goes on."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from typing import TYPE_CHECKING

from mmreid_ext.errors import UserError
from mmreid_ext.stopping.attempts import note_beginning
from mmreid_ext.stopping.durations import seconds_of
from mmreid_ext.stopping.request import StopRequest

if TYPE_CHECKING:  # heavy; --help stays quick
    from mmengine.runner import Runner


def add_stop_arguments(parser: ArgumentParser) -> None:
    """Add ``--time-limit``."""
    parser.add_argument(
        "--time-limit",
        type=_limit,
        metavar="TIME",
        help="write a checkpoint and end with exit code 75 when this time is nearly over, counted "
        "from the start of the program: 3h50m, 45m, 90s",
    )


def listening(args: Namespace) -> StopRequest:
    """Return what notes signals and the time, for a ``with`` statement around the whole tool.

    Args:
        args: Arguments of the tool, with ``time_limit``.
    """
    request = StopRequest(for_process=True)
    request.limit, request.began = args.time_limit, note_beginning()
    return request


def stop_on(request: StopRequest, runner: Runner) -> None:
    """Let a runner listen to the tool's requests.

    Args:
        request: Of :func:`listening`.
        runner: The runner; it may have a hook of its own for this.
    """
    from mmreid_ext.engine.hooks import StopOnRequestHook

    hooks = [hook for hook in runner.hooks if isinstance(hook, StopOnRequestHook)]
    if not hooks:
        runner.register_hook(StopOnRequestHook())
        hooks = [hook for hook in runner.hooks if isinstance(hook, StopOnRequestHook)]
    for hook in hooks:
        hook.listen_to(request)


def _limit(text: str) -> int:
    try:
        return seconds_of(text)
    except UserError as error:
        raise ArgumentTypeError(str(error)) from None
