"""Define what every tracker of experiments adds to the backends of MMEngine."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from mmengine.logging import print_log
from mmengine.visualization.vis_backend import BaseVisBackend
from torch import Tensor

from mmreid_ext.errors import UserError


class Tracker(BaseVisBackend):
    """A backend of MMEngine's visualizer that also takes histograms and embeddings.

    Attributes:
        validation_step: Iteration of the validation that is running. MMEngine logs validations by
            epoch where the training counts epochs, and the losses by iteration; here all figures
            have the iterations as their axis.
    """

    title = "the tracker"
    option = "the tracker"
    validation_step: int | None = None
    _has_warned = False

    def step_of(self, step: int) -> int:
        """Return the iteration to which logged values belong."""
        return step if self.validation_step is None else self.validation_step

    def add_histogram(self, name: str, values: np.ndarray, step: int) -> None:
        """Record how values (N,) are distributed."""
        raise NotImplementedError(
            f"{type(self).__name__} has no add_histogram(): a tracker records the values there."
        )

    def add_embeddings(
        self, name: str, feats: Tensor, labels: Sequence[str], thumbnails: Tensor, step: int
    ) -> None:
        """Record embeddings for a projector; does nothing where a tracker has none.

        Args:
            name: Name of the test set.
            feats: Shape (N, D).
            labels: What each image shows.
            thumbnails: Small square pictures in [0, 1], shape (N, 3, S, S).
            step: Iteration.
        """

    @contextmanager
    def opening(self) -> Iterator[None]:
        """Name the option in whatever goes wrong inside: their packages raise errors of all kinds.

        Raises:
            UserError: If a server doesn't answer, or a store can't be opened.
        """
        try:
            yield
        except Exception as error:
            raise UserError(
                f"{self.option}: {self.title} can't be opened, {type(error).__name__}: {error}; "
                "leave the option out, or see docs/watching.md."
            ) from error

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Let the training go on if a server is lost inside; a warning says so once."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - their packages raise errors of all kinds
            if not self._has_warned:
                text = f"{self.title} has lost values, {type(error).__name__}: {error}; "
                text += "scalars.json has all of them."
                print_log(text, logger="current", level=logging.WARNING)
            self._has_warned = True


def numbers_of(values: Mapping[str, Any]) -> dict[str, float]:
    """Return the entries that are numbers."""
    return {
        name: float(value)
        for name, value in values.items()
        if isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    }
