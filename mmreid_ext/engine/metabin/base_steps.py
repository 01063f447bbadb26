"""Base batches of each iteration of MetaBIN: the first iteration takes several."""

from __future__ import annotations


def base_batches_before(iteration: int, first_base_steps: int) -> int:
    """Count the base batches that all iterations before a 0-based one take.

    Args:
        iteration: The iteration.
        first_base_steps: Base batches of iteration 0; every other iteration takes one.
    """
    return 0 if iteration == 0 else iteration - 1 + first_base_steps


def base_batches_of(iteration: int, first_base_steps: int) -> int:
    """Count the base batches that a 0-based iteration takes.

    Args: those of :func:`base_batches_before`.
    """
    after = base_batches_before(iteration + 1, first_base_steps)
    return after - base_batches_before(iteration, first_base_steps)
