"""What can be found among simulated people, and how often nothing is found where nothing is.

    python benchmarks/simulated_power.py --people 1500 --populations 60

Chi-square between fifths of each feature (or its categories) and the raters' median, at 0.05, over populations drawn
from seeds 1000, 1001 ...; prints the share rejected over true nulls, and the power of every dependent pair.
"""

from __future__ import annotations

import argparse
from collections import defaultdict

import numpy as np
import polars as pl
from numpy.typing import NDArray

from personax.errors import UntestableError
from personax.independence import chisq
from personax.simulate import Population, simulate_population
from personax.traits import aggregate

Rejected = dict[tuple[str, str], list[bool]]


def fifths(values: pl.Series) -> NDArray[np.str_]:
    """Return categories as they are, and numbers by which fifth of the people they fall in."""
    if not values.dtype.is_numeric():
        return np.asarray(values.to_list(), dtype=np.str_)
    numbers = values.to_numpy()
    fifth: NDArray[np.str_] = np.digitize(numbers, np.quantile(numbers, [0.2, 0.4, 0.6, 0.8])).astype(np.str_)
    return fifth


def examine(world: Population, rejected: Rejected) -> None:
    """Test every feature against every trait of one population."""
    scores = aggregate(world.ratings, people=world.people["id"].to_list())
    for effect in world.truth()["effects"]:
        feature, trait = effect["feature"], effect["trait"]
        score = scores[f"final_{trait[0]}"].to_numpy()
        known = ~np.isnan(score)
        thirds = np.digitize(score[known], [1.6, 2.4]).astype(str)
        try:
            p_value = chisq(fifths(world.people[feature])[known], thirds).p_value
        except UntestableError:
            continue
        rejected[feature, trait].append(p_value < 0.05)


def main() -> None:
    """Draw, test, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=1500)
    parser.add_argument("--populations", type=int, default=60)
    wanted = parser.parse_args()
    rejected: Rejected = defaultdict(list)
    for seed in range(1000, 1000 + wanted.populations):
        world = simulate_population(wanted.people, rng=np.random.default_rng(seed), text_dim=8, image_dim=8)
        examine(world, rejected)
    dependent = {(e["feature"], e["trait"]) for e in world.truth()["effects"] if e["dependent"]}
    nulls = [hit for pair, hits in rejected.items() if pair not in dependent for hit in hits]
    print(f"true nulls: {len(nulls)} tests, {np.mean(nulls):.1%} rejected at 0.05")
    for pair in sorted(dependent):
        print(f"{pair[0]:>12} {pair[1]:<18} found in {np.mean(rejected[pair]):.0%}")


if __name__ == "__main__":
    main()
