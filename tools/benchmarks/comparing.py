"""Does compare.py keep its promises? Simulated test sets and seeds, for docs/comparing.md.

python tools/benchmarks/comparing.py                     # the table of the document, two minutes
python tools/benchmarks/comparing.py --repeats 200       # a first look

It compares two equal methods on many random test sets. The 95 % interval must hold the true
difference of 0 in 93 to 97 of 100. At most 6 of 100 verdicts may name a better side. People bring a
part of the variance between queries; seeds move whole runs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from mmreid_ext.cli.errors import run_tool
from mmreid_ext.evaluation.results.comparison import Difference, compare_scores

IDENTITIES = (10, 20, 50, 150)
SEEDS = (2, 3, 5)
SHARES = (0.0, 0.2, 0.5)
SEED_SPREADS = (0.0, 1.0)
"""Deviation of a run's mean over seeds, in standard errors over identities."""


@dataclass(frozen=True)
class Population:
    """A population that test sets are drawn from.

    Args:
        identities: Persons in a test set.
        share: Part of the variance of a query's difference that its person brings.
        most: Largest number of queries of a person; each has 1 to ``most``, equally often.
        deviation: Of the difference between two methods on one query, points of percent.
    """

    identities: int
    share: float
    most: int = 9
    deviation: float = 10.0

    def draw(
        self, seeds: int, seed_spread: float, generator: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Scores of both sides (seeds, Q) and whom the queries show (Q,)."""
        sizes = generator.integers(1, self.most + 1, self.identities)
        person = np.repeat(np.arange(self.identities), sizes)
        own = self.deviation / np.sqrt(2)  # of one side, so that differences have `deviation`
        mean_error = self.deviation * np.sqrt(
            self.share * np.sum(sizes**2) / np.sum(sizes) ** 2 + (1 - self.share) / np.sum(sizes)
        )
        sides = []
        for _ in range(2):
            shared = np.sqrt(self.share) * generator.normal(size=self.identities)[person]
            alone = np.sqrt(1 - self.share) * generator.normal(size=len(person))
            moved = seed_spread * mean_error * generator.normal(size=(seeds, 1))
            noise = 0.3 * own * generator.normal(size=(seeds, len(person)))
            sides.append(own * (shared + alone) + moved + noise * (seeds > 1))
        return sides[0], sides[1], person


def to_hits(scores: np.ndarray, deviation: float) -> np.ndarray:
    """Rank-1 hits in percent: nine queries of ten are found."""
    return 100.0 * (scores > -1.28 * deviation / np.sqrt(2))


def simulate(
    population: Population, seeds: int, seed_spread: float, repeats: int, seed: int = 0
) -> Iterator[dict[str, Difference]]:
    """Compare two equal methods on ``repeats`` drawn test sets, by mAP and by R1."""
    place = [population.identities, population.most, int(100 * population.share)]
    generator = np.random.default_rng([seed, *place, seeds, int(100 * seed_spread)])
    for _ in range(repeats):
        a, b, person = population.draw(seeds, seed_spread, generator)
        hits = [to_hits(side, population.deviation) for side in (a, b)]
        yield {
            "mAP": compare_scores("mAP", a, b, person),
            "R1": compare_scores("R1", *hits, person),
        }


def covers(found: Difference) -> bool:
    """Whether the interval over identities holds the true difference."""
    return found.low <= 0 <= found.high


def called(found: Difference) -> bool:
    """Whether the verdict names a better side."""
    return " better " in found.verdict


def row(population: Population, repeats: int) -> list[str]:
    """Coverage for one run a side, and false verdicts for all numbers of seeds: mAP, then R1.

    Of several spreads over seeds the worst is shown.
    """
    single = list(simulate(population, 1, 0.0, repeats))
    many = [
        [list(simulate(population, seeds, spread, repeats)) for spread in SEED_SPREADS]
        for seeds in SEEDS
    ]
    cells = []
    for name in ("mAP", "R1"):
        cells += [percent(covers, single, name), percent(called, single, name)]
        cells += [max(percent(called, found, name) for found in spreads) for spreads in many]
    return [f"{cell:.1f}" for cell in cells]


def percent(asked: Callable[[Difference], bool], found: list, name: str) -> float:
    """How often something holds."""
    return 100 * float(np.mean([asked(one[name]) for one in found]))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=2000, help="test sets per cell (2000)")
    return parser.parse_args()


def run(args: argparse.Namespace) -> None:
    error = 196 * np.sqrt(0.05 * 0.95 / args.repeats)
    print(f"{args.repeats} test sets per cell: ±{error:.1f} points at 5 %\n")
    columns = ["covers", "false, 1 run", *(f"{seeds} seeds" for seeds in SEEDS)]
    header = ["identities", "queries each", "share of persons"]
    header += [f"{name} {column}" for name in ("mAP", "R1") for column in columns]
    print(f"| {' | '.join(header)} |\n|{'--:|' * len(header)}")
    for identities in IDENTITIES:
        for most, share in ((1, 0.0), *((9, share) for share in SHARES)):
            cells = row(Population(identities, share, most), args.repeats)
            first = [str(identities), "1" if most == 1 else f"1 to {most}", f"{share:g}"]
            print(f"| {' | '.join(first + cells)} |", flush=True)


def main() -> None:
    run_tool(lambda: run(parse_args()))


if __name__ == "__main__":
    main()
