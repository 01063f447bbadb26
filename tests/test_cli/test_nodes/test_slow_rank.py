"""Who is slow is said once, and only if it stays so."""

from mmreid_ext.cli.nodes.slow_rank import SlowRanks


def told(ranks, totals, pictures=0.0):
    for rank, total in enumerate(totals):
        ranks.report(rank, dict(pictures=pictures, forward=total - pictures))
    return ranks.verdict()


def test_a_rank_that_stays_slow_is_named_once():
    ranks = SlowRanks(["a", "a", "b"])
    assert told(ranks, (0.1, 0.1, 0.3)) is None  # once is chance
    text = told(ranks, (0.1, 0.12, 0.3), pictures=0.05)
    assert text.startswith(
        "rank 2 on b is slow, and all others wait for it: its own work takes 0.3"
    )
    assert (
        "(waiting for pictures 0.050 s, forward pass 0.250 s), that of the others 0.110 s" in text
    )
    assert told(ranks, (0.1, 0.1, 0.3)) is None  # was said
    assert told(ranks, (0.1, 0.1, 0.1)) is None
    assert [told(ranks, (0.3, 0.1, 0.1)) is None for _ in range(2)] == [True, False]


def test_of_two_ranks_the_slower_one():
    ranks = SlowRanks(["a", "b"])
    told(ranks, (0.2, 0.1))
    assert told(ranks, (0.2, 0.1)).startswith("rank 0 on a is slow")


def test_small_differences_are_no_matter():
    ranks = SlowRanks(["a", "b"])
    for totals in ((0.100, 0.140), (0.001, 0.009)):
        assert [told(ranks, totals) for _ in range(4)] == [None] * 4


def test_a_rank_that_takes_turns_with_another_is_not_named():
    ranks = SlowRanks(["a", "b", "c"])
    for _ in range(3):
        assert told(ranks, (0.3, 0.1, 0.1)) is None
        assert told(ranks, (0.1, 0.3, 0.1)) is None


def test_a_verdict_waits_for_all_and_for_reports():
    ranks = SlowRanks(["a", "b"])
    ranks.report(0, dict(pictures=1.0, forward=1.0))
    assert ranks.verdict() is None
    for junk in ({}, dict(pictures="x", forward=1), None, dict(pictures=None, forward=1)):
        ranks.report(1, junk)
    ranks.report(7, dict(pictures=1.0, forward=1.0))
    assert ranks.verdict() is None and set(ranks._latest) == {0}
