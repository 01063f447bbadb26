"""Maps side by side, and a share that is known."""

import numpy as np
import pytest
from helpers.tools import run_tool

from mmreid_ext.errors import UserError
from mmreid_ext.evaluation import load_features
from mmreid_ext.visualization.map_comparison import plot_compared_maps, same_domain_share


def save(path, apart, domains=2, seed=0):
    """Eight people of each domain; domains lie apart, or don't."""
    generator = np.random.default_rng(seed)
    pids = np.tile(np.repeat(np.arange(8), 3), domains)
    names = np.repeat([f"set_{n}" for n in range(domains)], 24)
    centres = generator.normal(size=(8 * domains, 16))
    feats = centres[np.arange(len(pids)) // 3] + 0.1 * generator.normal(size=(len(pids), 16))
    feats[:, 0] += apart * np.where(names == "set_1", 1, -1)
    np.savez(
        path,
        feats=feats.astype(np.float32),
        pids=pids,
        camids=np.arange(len(pids)) % 3,
        roles=np.where(np.arange(len(pids)) % 3, "gallery", "query"),
        datasets=names,
        names=[f"{n}.jpg" for n in range(len(pids))],
    )
    return path


def read(path):
    return load_features(path)[0]


def test_a_map_for_each_by_domain(tmp_path):
    one, two = (read(save(tmp_path / f"{apart}.npz", apart)) for apart in (9, 0))
    figure = plot_compared_maps(["apart", "mixed"], [one, two], tmp_path / "maps.png")
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "apart  (48 images)",
        "mixed  (48 images)",
    ]
    notes = [axes.get_xlabel() for axes in figure.axes]
    assert notes[0] == "nearest other person: 100% of the same domain (47% by chance)"
    assert int(notes[1].split(": ")[1].split("%")[0]) < 90
    assert all(len(axes.collections) == 2 for axes in figure.axes)
    with pytest.raises(UserError, match="1 titles for 2 maps"):
        plot_compared_maps(["a"], [one, two])


def test_one_domain_is_drawn_by_identity(tmp_path):
    images = read(save(tmp_path / "a.npz", 0, domains=1))
    axes = plot_compared_maps(["a", "b"], [images, images], num_identities=3).axes
    assert len(axes[0].collections) == 1 + 3
    for left, right in zip(axes[0].collections, axes[1].collections, strict=True):
        np.testing.assert_array_equal(left.get_offsets(), right.get_offsets())


def test_the_share_by_loops():
    generator = np.random.default_rng(1)
    feats = generator.normal(size=(20, 5))
    people, domains = generator.integers(-1, 5, 20), generator.integers(0, 3, 20)
    hits, chances = [], []
    for a in range(20):
        others = [b for b in range(20) if b != a and (people[a] < 0 or people[a] != people[b])]
        cosine = [
            feats[a] @ feats[b] / np.linalg.norm(feats[a]) / np.linalg.norm(feats[b])
            for b in others
        ]
        hits.append(domains[others[int(np.argmax(cosine))]] == domains[a])
        chances.append(np.mean([domains[b] == domains[a] for b in others]))
    expected = np.mean(hits), np.mean(chances)
    assert same_domain_share(feats, people, domains) == pytest.approx(expected)
    assert np.isnan(same_domain_share(feats, np.zeros(20), domains)).all()


def test_the_tool_compares_files(tmp_path, monkeypatch, capsys):
    files = [save(tmp_path / f"{name}.npz", 0) for name in ("before", "after")]
    run_tool("plot_embeddings", monkeypatch, *files)
    assert (tmp_path / "before.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(SystemExit, match="--names: 1 names for 2 files"):
        run_tool("plot_embeddings", monkeypatch, *files, "--names", "a")
    assert capsys.readouterr().out.count("Written") == 1
