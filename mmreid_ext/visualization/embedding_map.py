"""Plot t-SNE maps of embeddings, coloured by identity and by domain."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmreid_ext.errors import MissingPackageError, UserError
from mmreid_ext.evaluation.retrieval.embedding_metrics import on_sphere
from mmreid_ext.protocols import JUNK

from .arrays import as_numpy
from .style import INK, LINE, MUTED, PALE, PALETTE, new_figure, picture_format, save_figure

_MARKERS = "osD^vPX*"


def plot_tsne(
    feats: np.ndarray,
    pids: np.ndarray,
    domains: Sequence | np.ndarray | None = None,
    path: str | os.PathLike | None = None,
    *,
    distractors: np.ndarray | None = None,
    max_images: int = 2000,
    num_identities: int = 16,
    perplexity: float = 30.0,
    seed: int = 0,
    title: str = "t-SNE of the embeddings",
) -> Figure:
    """Draw a map of the embeddings, once coloured by identity and once by domain.

    The identities with most images are coloured, the others are grey dots. Distances between far
    groups of a t-SNE map mean little: look at which points mix.

    L. van der Maaten, G. Hinton, "Visualizing Data using t-SNE", JMLR 2008.
    https://jmlr.org/papers/v9/

    Args:
        feats: Embeddings, shape (N, D); compared by cosine.
        pids: Identities, shape (N,).
        domains: Names or numbers of the domains, shape (N,), or None for the identities alone. The
            same identity number in two domains is two people.
        path: Where to save the figure, or None to return it only.
        distractors: Whether an image shows "nobody of the queries", shape (N,), bool: these share
            numbers, not identities, and are grey dots. None: no image does.
        max_images: A random subset of this size is shown if there are more images. Whole identities
            are kept together, so that their groups stay visible. Defaults to 2000.
        num_identities: Identities shown in colour. Defaults to 16.
        perplexity: Of t-SNE, about the number of neighbours that count; lowered for few images.
        seed: Of the subset and of t-SNE: the same seed gives the same map.
        title: Heading of the figure.

    Returns:
        The figure.

    Raises:
        ValueError: If there are fewer than 4 images or the arrays don't correspond.
    """
    feats, pids = as_numpy(feats), as_numpy(pids)
    domains = None if domains is None else as_numpy(domains)
    if path is not None:
        picture_format(path)  # before the minutes of a map that couldn't be saved
    lone = None if distractors is None else as_numpy(distractors).astype(bool)
    check_map_arrays(feats, pids, domains, lone)
    people = number_people(pids, domains, lone)
    generator = np.random.default_rng(seed)
    rows = subset_rows(people, max_images, generator)
    points = tsne(feats[rows], perplexity=perplexity, seed=seed)
    columns = 1 if domains is None else 2
    width, height = np.maximum(np.ptp(points, axis=0), 1e-6)  # equal embeddings may all meet
    figure = new_figure(6.0 * columns, 1.1 + 6.0 * float(np.clip(height / width, 0.4, 1.2)))
    figure.suptitle(f"{title}  ({len(rows):,} images)", color=INK, fontweight="bold")
    axes = figure.subplots(1, columns, squeeze=False)[0]
    draw_identities(axes[0], points, people[rows], num_identities, generator)
    if domains is not None:
        draw_domains(axes[1], points, domains[rows])
    if path is not None:
        save_figure(figure, path)
    return figure


def number_people(
    pids: np.ndarray, domains: np.ndarray | None = None, distractors: np.ndarray | None = None
) -> np.ndarray:
    """Number the people from 0; -1 is nobody: junk (identity -1) and distractors.

    Args:
        pids: Identities within their domain, shape (N,).
        domains: Shape (N,), or None for a single domain.
        distractors: Mask of the distractors, shape (N,), or None: there are none. An identity 0 is
            a person like any other.

    Returns:
        Shape (N,), int64.
    """
    _, domain = np.unique(np.zeros(len(pids)) if domains is None else domains, return_inverse=True)
    _, people = np.unique(np.stack([domain, pids]), axis=1, return_inverse=True)
    nobody = pids == JUNK if distractors is None else (pids == JUNK) | distractors
    return np.where(nobody, -1, people.reshape(-1))


def tsne(feats: np.ndarray, *, perplexity: float = 30.0, seed: int = 0) -> np.ndarray:
    """Map embeddings to the plane by cosine distance, the same way for the same seed.

    Args:
        feats: Shape (N, D), N at least 4, any floating type; a zero embedding has cosine 0 with all
            others.
        perplexity: Lowered to (N - 1) / 3 where there are few images.
        seed: Of scikit-learn's t-SNE.

    Returns:
        Shape (N, 2), float32.

    Raises:
        MissingPackageError: Without scikit-learn.
        ValueError: If there are fewer than 4 images, or NaN among them.
    """
    try:
        from sklearn.manifold import TSNE  # slow to import, and only this needs it
    except ImportError as error:
        raise MissingPackageError(
            f"The t-SNE map needs scikit-learn ({error}): pip install scikit-learn."
        ) from error

    feats = as_numpy(feats)
    if feats.ndim != 2 or len(feats) < 4:
        raise UserError(f"feats must have shape (N, D) with N at least 4, got {feats.shape}.")
    # On the unit sphere the squared Euclidean distance is 2 (1 - cosine), and neighbours are found
    # faster.
    feats = on_sphere(feats if feats.dtype.kind == "f" else feats.astype(float))
    perplexity = min(perplexity, (len(feats) - 1) / 3)
    # PCA as a start keeps the large-scale layout; it needs two directions of variation to start
    # from.
    start = "pca" if min(feats.shape) >= 2 and feats.std(axis=0).max() > 0 else "random"
    model = TSNE(init=start, perplexity=perplexity, random_state=seed, learning_rate="auto")
    return model.fit_transform(feats)


def check_map_arrays(
    feats: np.ndarray, pids: np.ndarray, domains: np.ndarray | None, lone: np.ndarray | None
) -> None:
    """Check that arrays correspond and that a map can be made of them.

    Raises:
        ValueError: If there are fewer than 4 images, NaN among them, or other numbers of entries.
    """
    if feats.ndim != 2 or len(feats) < 4:
        raise UserError(f"feats must have shape (N, D) with N at least 4, got {feats.shape}.")
    if not np.isfinite(feats).all():
        raise UserError("feats contain NaN or infinity: no map can be drawn of them.")
    for name, values in (("pids", pids), ("domains", domains), ("distractors", lone)):
        if values is not None and values.shape != (len(feats),):
            raise UserError(f"{name} must have shape ({len(feats)},), got {values.shape}.")


def subset_rows(people: np.ndarray, max_images: int, generator: np.random.Generator) -> np.ndarray:
    """Return rows of random whole identities, as many as fit; -1 is nobody."""
    if len(people) <= max_images:
        return np.arange(len(people))
    # One random place for each identity; distractors come one by one, not all together.
    order = generator.random(max(people.max(), 0) + 1)[people]
    single = generator.random(len(people))
    return np.sort(np.lexsort((single, np.where(people < 0, single, order)))[:max_images])


def draw_identities(
    axes: Axes,
    points: np.ndarray,
    people: np.ndarray,
    number: int,
    generator: np.random.Generator,
) -> None:
    """Draw a map (N, 2) with the largest ``number`` identities in colour; -1 is nobody."""
    identities, counts = np.unique(people[people >= 0], return_counts=True)
    order = np.lexsort((generator.random(len(counts)), -counts))  # among equals, of all domains
    colored = identities[order][:number]
    rest = ~np.isin(people, colored)
    x, y = points[rest].T
    axes.scatter(x, y, s=6, c=PALE, linewidths=0)
    for place, person in enumerate(colored):
        color = PALETTE[place % len(PALETTE)]
        marker = _MARKERS[(place + place // len(PALETTE)) % len(_MARKERS)]
        x, y = points[people == person].T
        axes.scatter(x, y, s=22, linewidths=0, c=color, marker=marker)
    note = f"{len(colored)} identities in colour, the other {rest.sum():,} images grey"
    _frame(axes, "By identity", note)


def draw_domains(axes: Axes, points: np.ndarray, domains: np.ndarray) -> None:
    """Draw a map (N, 2) with a colour and a mark for each domain."""
    for place, domain in enumerate(np.unique(domains)):
        color, marker = PALETTE[place % len(PALETTE)], _MARKERS[place % len(_MARKERS)]
        x, y = points[domains == domain].T
        axes.scatter(
            x, y, s=12, alpha=0.65, linewidths=0, c=color, marker=marker, label=str(domain)
        )
    axes.legend(frameon=False, markerscale=1.6, loc="best")
    _frame(axes, "By domain", f"{len(np.unique(domains))} domains")


def _frame(axes: Axes, title: str, note: str) -> None:
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK)
    axes.set_xlabel(note, color=MUTED, fontsize=9)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_aspect("equal", adjustable="datalim")
    for spine in axes.spines.values():
        spine.set_color(LINE)
