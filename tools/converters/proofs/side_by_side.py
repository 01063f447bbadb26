"""Run a foreign network and its conversion on the same images, and compare unit embeddings.

Both compute in float64, where a difference is no rounding, and once more in float32, as they are
used. Instance norms of small maps and necks that are settled on few images amplify the rounding of
float32 to more than 1e-5, though both compute the same function.

A comparison can be blind: with random batch-norm statistics the activations explode, embeddings
hardly depend on the image, and a wrong stem or BGR passes a tolerance of 1e-4. So statistics are
those of the images, gates and affines are random, and for each network some settings are made
wrong on purpose, which must show.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import Tensor

from mmreid_ext.apis.conversion import convert_checkpoint
from mmreid_ext.checkpoint.usage import config_of
from mmreid_ext.checkpoint.weights import load_state, read_checkpoint
from mmreid_ext.registry import MODELS

from .filling import calibrate, filled, images, shapes_of

TOLERANCE = 1e-10
"""Of unit embeddings in float64. An epsilon of 1e-6 in place of 1e-5 changes them by more."""

USUAL = 1e-5
"""What float32 adds in most networks. More is no failure, but is said."""

VISIBLE = 1e-3
"""What a wrong setting must change at least, in float32."""

RECORDED = 16
"""Numbers of an embedding that are recorded."""

RECORDED_IMAGES = 8
"""Of two images, a neck that is settled on them would keep signs alone."""

TRANSFORMERS = ("transreid", "clip-reid", "solider", "timm")
"""Programs whose networks take pictures of one size."""

BGR = "BGR"
"""The control that turns the colours around; needs no setting."""


class Both(NamedTuple):
    """What a network computes with the same weights in two precisions.

    Attributes:
        double: In float64.
        single: In float32.
    """

    double: Tensor
    single: Tensor


class Case(NamedTuple):
    """A network of another program.

    Attributes:
        build: Builds it with random weights.
        embed: Computes its features of a batch of normalised images.
        source: Name of the program.
        size: Height and width of the images.
        controls: Settings that make our network another one, by what is wrong with them.
        outside: Runs it in another process: writes its weights to a file in a folder, and returns
            that and the features of the images in both precisions. ``build`` and ``embed`` aren't
            used then.
        config: Name of our configuration. None: chosen by the weights.
    """

    build: Callable[[], Any]
    embed: Callable[[Any, Tensor], Tensor]
    source: str
    size: tuple[int, int]
    controls: Mapping[str, Mapping[str, Any]]
    outside: Callable[[Path, Tensor], tuple[Path, Both]] | None = None
    config: str | None = None


def compare(case: Case, folder: Path, batch: int = 4) -> dict[str, Any]:
    """Convert a random network and compare it with ours.

    Args:
        case: The network.
        folder: Where files may be written.
        batch: Images.

    Returns:
        ``weights``: how many were taken over; ``guessed``: whether the program was recognised;
        ``double`` and ``single``: the largest difference of unit embeddings in float64 and in
        float32; ``controls``: that in float32 with a wrong setting.
    """
    if case.outside is None:
        net, given, theirs = foreign(case, batch, case.size)
        file = folder / "theirs.pth"
        torch.save(net.state_dict(), file)
    else:
        given = images(4 * batch, *case.size)  # small: a neck needs statistics of more images
        file, features = case.outside(folder, given)
        theirs = Both(*(F.normalize(one) for one in features))
    out = folder / "ours.pth"
    done = convert_checkpoint(file, out, source=None, config=case.config)
    guessed = done.source.name == case.source
    if not guessed:
        done = convert_checkpoint(file, out, source=case.source, config=case.config)
    content = read_checkpoint(out)

    def away(changes: Mapping[str, Any], images: Tensor = given) -> float:
        return _largest(_ours(content, images, changes), theirs.single)

    controls = {name: away(changes) for name, changes in case.controls.items()}
    return {
        "weights": len(done.fit.state),
        "guessed": guessed,
        "double": _largest(_ours(content, given.double(), {}), theirs.double),
        "single": away({}),
        "controls": {**controls, BGR: away({}, given.flip(1))},
    }


def foreign(case: Case, batch: int, size: tuple[int, int]) -> tuple[Any, Tensor, Both]:
    """Build a network, fill it, and compute its unit embeddings of noise.

    Args:
        case: The network.
        batch: Images.
        size: Their height and width.

    Returns:
        The network in float32, the images and the embeddings.
    """
    net = case.build().eval().double()
    own = net.state_dict()
    drawn = filled(shapes_of(own))
    # Tables of places are whole numbers, and no weights.
    net.load_state_dict({n: drawn[n] if v.is_floating_point() else v for n, v in own.items()})
    given = images(batch, *size)
    calibrate(net, lambda: case.embed(net, given.double()))
    net.float().double()  # what is saved has no more digits
    with torch.no_grad():
        double = F.normalize(case.embed(net, given.double()))
        return net, given, Both(double, F.normalize(case.embed(net.float(), given.clone())))


def record(case: Case) -> dict[str, Any]:
    """Describe a network by what it computes, for tests where its program isn't there.

    Returns:
        ``program``; ``shapes`` of its state dictionary; ``images``: count, height and width;
        ``embeddings``: the first numbers of each unit embedding.
    """
    small = case.size if case.source in TRANSFORMERS else (64, 32)
    net, _, theirs = foreign(case, RECORDED_IMAGES, small)
    return {
        "program": case.source,
        "images": [RECORDED_IMAGES, *small],
        "embeddings": [[round(v, 7) for v in row.tolist()] for row in theirs.double[:, :RECORDED]],
        "size": theirs.double.shape[1],
        "shapes": shapes_of(net.state_dict()),
    }


def _ours(content: Any, images: Tensor, changes: Mapping[str, Any]) -> Tensor:
    cfg: Config = config_of(content, "ours")
    cfg.merge_from_dict({f"model.{name}": value for name, value in changes.items()})
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        model = MODELS.build(cfg.model)
    load_state(model, content, "ours")
    model.eval().to(images.dtype)
    with torch.no_grad():
        if images.dtype == torch.float32:
            return model.embed(images)
        found = model.head(model.pool(images))  # `embed` ends in float32
        before = getattr(model.head, "test_feature", None) == "feats"
        return F.normalize(found.feats if before else found.embeddings)


def _largest(ours: Tensor, theirs: Tensor) -> float:
    if ours.shape != theirs.shape:
        return 2.0  # the largest that unit vectors can differ by
    return float((ours - theirs).abs().max())
