"""Ranked lists as one picture: rows, signs, dashes, and what is refused."""

import numpy as np
import pytest

from mmreid_ext.visualization import rank_queries, save_ranked_list_png


def test_png_shows_the_worst_queries(people, tmp_path):
    ranked = rank_queries(*people.arrays, topk=4, rerank=True)
    paths = (people.query_paths, people.gallery_paths)
    figure = save_ranked_list_png(
        tmp_path / "r.png", ranked, *paths, image_root=people.root, limit=2, title="$5 & <b>"
    )
    axes = figure.axes[0]
    assert len(axes.images) == 2 * (1 + 2 * 4)
    texts = [text.get_text() for text in axes.texts]
    signs = [text for text in texts if text in "✓✗"]
    expected = np.concatenate([entry.matches[:2] for entry in ranked.lists], axis=1)
    assert signs == ["✓" if match else "✗" for match in expected.ravel()]
    assert f"{ranked.lists[0].distances[0, 0]:.3f}" in texts and "$5 & <b>" in texts
    # a frame's dash says it too, for those who don't tell green from red
    dashes = {patch.get_linestyle() for patch in axes.patches}
    assert len(dashes) >= 2
    with pytest.raises(ValueError, match="limit=0 must be at least 1"):
        save_ranked_list_png(tmp_path / "r.png", ranked, *paths, limit=0)
    with pytest.raises(ValueError, match="no suffix of a picture format"):
        save_ranked_list_png(tmp_path / "r.doc", ranked, *paths)
