"""Draw t-SNE maps of several embeddings side by side, such as before and after a training."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.embedding_set import EmbeddingSet
from mmreid_ext.evaluation.retrieval.embedding_metrics import on_sphere
from mmreid_ext.shorten import one_line

from .arrays import as_numpy
from .embedding_map import (
    check_map_arrays,
    draw_domains,
    draw_identities,
    number_people,
    subset_rows,
    tsne,
)
from .style import INK, MUTED, new_figure, picture_format, plain_text, save_figure

_LONGEST_TITLE = 60


def plot_compared_maps(
    titles: Sequence[str],
    embeddings: Sequence[EmbeddingSet],
    path: str | os.PathLike | None = None,
    *,
    max_images: int = 2000,
    num_identities: int = 16,
    perplexity: float = 30.0,
    seed: int = 0,
) -> Figure:
    """Draw a map of each set of embeddings, all by domain, or by identity if there is one domain.

    Each map is a t-SNE of its own, see :func:`.embedding_map.plot_tsne`: places can't be compared
    between maps, only what mixes in each. Files of the same images show the same ones.

    Args:
        titles: One for each map.
        embeddings: What to draw; the domain of an image is its test set.
        path: Where to save the figure, or None to return it only.
        max_images: See :func:`.embedding_map.plot_tsne`, as for the others.
        num_identities: See there.
        perplexity: See there.
        seed: See there.

    Returns:
        The figure. Below a map by domain stands :func:`same_domain_share`.

    Raises:
        ValueError: If there are fewer than 4 images in one, or NaN among them.
    """
    if len(titles) != len(embeddings) or not titles:
        raise UserError(f"{len(titles)} titles for {len(embeddings)} maps; give one for each.")
    if path is not None:
        picture_format(path)  # before the minutes of a map that couldn't be saved
    by_domain = any(len(set(images.datasets)) > 1 for images in embeddings)
    figure = new_figure(5.0 * len(titles), 5.6)
    axes = figure.subplots(1, len(titles), squeeze=False)[0]
    for place, title, images in zip(axes, titles, embeddings, strict=True):
        feats = as_numpy(images.feats)
        check_map_arrays(feats, images.pids, images.datasets, images.distractors)
        people = number_people(images.pids, images.datasets, images.distractors)
        generator = np.random.default_rng(seed)
        rows = subset_rows(people, max_images, generator)
        points = tsne(feats[rows], perplexity=perplexity, seed=seed)
        if by_domain:
            domains = images.datasets[rows]
            draw_domains(place, points, domains)
            share, chance = same_domain_share(feats[rows], people[rows], domains)
            note = f"nearest other person: {share:.0%} of the same domain ({chance:.0%} by chance)"
            place.set_xlabel(note, color=MUTED, fontsize=9)
        else:
            draw_identities(place, points, people[rows], num_identities, generator)
        heading = f"{plain_text(one_line(title, _LONGEST_TITLE))}  ({len(rows):,} images)"
        place.set_title(heading, loc="left", fontsize=11, fontweight="bold", color=INK)
    if path is not None:
        save_figure(figure, path)
    return figure


def same_domain_share(
    feats: np.ndarray, people: np.ndarray, domains: np.ndarray
) -> tuple[float, float]:
    """Return how often the nearest image of another person is of the same domain, and by chance.

    A network that tells domains apart has a high share. By chance it is the share of such images
    among all of other people. Distractors and junk (-1) count as people of their own.

    Args:
        feats: Shape (N, D); compared by cosine.
        people: Numbers of people, (N,); -1 is nobody.
        domains: Shape (N,).

    Returns:
        Two fractions; NaN without another person.
    """
    unit = on_sphere(feats)
    similarity = unit @ unit.T
    is_same = (people[:, None] == people) & (people >= 0)
    np.fill_diagonal(is_same, val=True)
    similarity[is_same] = -np.inf
    in_domain = domains[:, None] == domains
    asks = ~is_same.all(axis=1)
    if not asks.any():
        return float("nan"), float("nan")
    nearest = similarity.argmax(axis=1)
    hits = in_domain[np.arange(len(people)), nearest][asks]
    chance = ((in_domain & ~is_same).sum(axis=1) / np.maximum((~is_same).sum(axis=1), 1))[asks]
    return float(hits.mean()), float(chance.mean())
