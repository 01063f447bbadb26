"""Choose batches and iterations by the number of people and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from .listing import OwnImage
from .splitting import group_people

_INSTANCES = 4  # pictures of a person in a batch; two where most people have fewer
_FEW_INSTANCES = 2
_LARGEST_BATCH = 64
_ROUND = 50  # iterations, so that names of checkpoints are easy to type


@dataclass(frozen=True)
class Model:
    """A network and how long it takes.

    Args:
        base: Configuration that is inherited.
        title: What the user reads.
        passes: How often every picture is seen in training.
        fewest: Iterations at least; a network needs them however few pictures there are.
        cpu_rate: Pictures per second that one CPU core trains on.
    """

    base: str
    title: str
    passes: int
    fewest: int
    cpu_rate: float


# Rates of one core of a server; others differ by some factors. GPUs were not measured.
MODELS = {
    "r18": Model("own_images_r18", "ResNet-18 at 128 x 64", 40, 300, 39),
    "r50": Model("own_images_r50", "ResNet-50 at 256 x 128", 60, 600, 4),
}
_SCRATCH = 2
"""How many times longer a network without ImageNet weights is trained."""


@dataclass(frozen=True)
class Plan:
    """How a training goes.

    Args:
        model: Key of :data:`MODELS`.
        num_classes: People to train on.
        num_images: Their pictures.
        people_per_batch: P.
        num_instances: K, pictures of each of them.
        iterations: Number of batches.
        from_scratch: Whether it begins without ImageNet weights.
    """

    model: str
    num_classes: int
    num_images: int
    people_per_batch: int
    num_instances: int
    iterations: int
    from_scratch: bool

    @property
    def batch_size(self) -> int:
        """Pictures of a batch."""
        return self.people_per_batch * self.num_instances

    @property
    def warm_up(self) -> int:
        """Iterations in which the learning rate rises."""
        return self.iterations // 10

    def cpu_seconds(self, cores: int) -> float:
        """Estimate the time of the training on a number of CPU cores."""
        return self.iterations * self.batch_size / (MODELS[self.model].cpu_rate * cores)


def plan_training(images: Sequence[OwnImage], model: str, from_scratch: bool) -> Plan:
    """Plan the training on pictures of the role ``train``.

    Args:
        images: All pictures.
        model: Key of :data:`MODELS`.
        from_scratch: Whether ImageNet weights are left out.
    """
    groups = group_people([image for image in images if image.split == "train"])
    counts = [len(group) for group in groups.values()]
    instances = _INSTANCES if median(counts) >= _INSTANCES else _FEW_INSTANCES
    people = min(len(counts), _LARGEST_BATCH // instances)
    settings = MODELS[model]
    passes = settings.passes * (_SCRATCH if from_scratch else 1)
    fewest = settings.fewest * (_SCRATCH if from_scratch else 1)
    wanted = max(sum(counts) * passes / (people * instances), fewest)
    iterations = -int(-wanted // _ROUND) * _ROUND
    return Plan(model, len(counts), sum(counts), people, instances, iterations, from_scratch)
