"""Turn a plan of an export into one that a tracker can use, or say why there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mmreid_ext.errors import UserError
from mmreid_ext.export.plan import ExportPlan

from .sidecar import boxmot_sidecar
from .table import TRACKERS, Tracker


def fit_plan(
    tracker: str, plan: ExportPlan, formats: Sequence[str] | None, input: str | None
) -> ExportPlan:
    """Return the plan of a file for a tracker.

    Args:
        tracker: A name of :data:`.table.TRACKERS`.
        plan: What the user wants, but for the next two.
        formats: Formats that the user asks for; None: the best one.
        input: Kind of input that the user asks for; None: that of the tracker.

    Raises:
        UserError: If the tracker can't use what the user asks for; says what to ask for.
    """
    needs = TRACKERS[tracker]
    chosen = tuple(dict.fromkeys(formats or needs.formats[:1]))
    for one in chosen:
        if one not in needs.formats:
            raise UserError(
                f"--for {tracker} --format {one}: {needs.title} can't use it, because "
                f"{needs.refused[one]}; take --format {needs.formats[0]}."
            )
    if input not in (None, needs.input):
        reason = needs.reasons.get("input") or needs.reasons.get("outside") or ""
        raise UserError(
            f"--for {tracker} --input {input}: {needs.title} feeds {needs.input!r} images; leave "
            f"--input out.{f' {reason}' if reason else ''}"
        )
    if needs.size is not None and plan.batch is not None:
        raise UserError(
            f"--for {tracker} --batch {plan.batch}: {needs.title} passes all people of a frame at "
            "once, however many; leave --batch out."
        )
    _check_name(tracker, needs, plan.name)
    return replace(
        plan,
        formats=chosen,
        input=needs.input,
        outside=needs.outside,
        name=plan.name or _default_name(needs, plan.precision),
        sidecars=(*plan.sidecars, *((boxmot_sidecar,) if tracker == "boxmot" else ())),
        checks=(*plan.checks, lambda use: require_size(tracker, use)),
    )


def require_size(tracker: str, use: Mapping[str, Any]) -> None:
    """Check that a model takes images of the tracker's size.

    Args:
        tracker: A name of :data:`.table.TRACKERS`.
        use: ``input`` of the checkpoint's record.

    Raises:
        UserError: If the tracker resizes to another one.
    """
    needs = TRACKERS[tracker]
    size = use["height"], use["width"]
    if needs.size is not None and size != needs.size:
        wanted = f"{needs.size[0]} x {needs.size[1]}"
        raise UserError(
            f"--for {tracker}: the images of this model are {size[0]} x {size[1]}, and "
            f"{needs.title} always feeds {wanted}; train at {wanted} (configurations of that size "
            "have it in their name), or use --for boxmot, which has StrongSORT too and takes any "
            "size."
        )


def _default_name(needs: Tracker, precision: str) -> str:
    return needs.name if precision == "fp32" else f"{needs.name}_{precision}"


def _check_name(tracker: str, needs: Tracker, name: str | None) -> None:
    """Check the name that the user gives the file."""
    if name is None:
        return
    lower = name.lower()
    banned = [part for part in needs.name_bans if part in lower]
    if banned:
        raise UserError(
            f"--for {tracker} --name {name}: it must not hold {banned[0]!r}. "
            f"{needs.reasons['name_bans']}"
        )
    if needs.name_parts and not any(part in name for part in needs.name_parts):
        raise UserError(
            f"--for {tracker} --name {name}: it must hold one of {', '.join(needs.name_parts)}; "
            f"leave --name out, or write {name}_osnet_x0_25. {needs.reasons['name_parts']}"
        )
