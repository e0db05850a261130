"""Codes of which the right score is known: the truth, the truth turned, and chance, by every metric of known factors.

    python -m benchmarks.ceilings [--quick]

Four independent factors in ten even steps each; 5,000 images. The codes are the factors themselves, at mean 0 and
deviation 1, these turned by a random rotation, and numbers drawn at random. Beside each stand the ceiling and the null
that the metric itself states. A rotation should cost those that ask for one latent for each factor, and no others.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
from scipy.stats import special_ortho_group

from benchmarks import ledger
from vaelab.evaluation import all_metrics, measure_table

FACTORS = 4


def tables(count: int) -> dict[str, pd.DataFrame]:
    """Name -> codes z0 to z3 beside the factors."""
    random = np.random.default_rng(0)
    factors = random.integers(10, size=(count, FACTORS)) / 9
    truth = (factors - factors.mean(0)) / factors.std(0)
    turned = truth @ special_ortho_group.rvs(FACTORS, random_state=0)
    codes = {"truth": truth, "turned": turned, "chance": random.normal(size=factors.shape)}
    known = {f"factor {k}": factors[:, k] for k in range(FACTORS)}
    return {name: pd.DataFrame({f"z{k}": z[:, k] for k in range(FACTORS)} | known) for name, z in codes.items()}


def rows(count: int) -> list[dict[str, object]]:
    """A row for each metric of known factors, of the whole."""
    names = [f"factor {k}" for k in range(FACTORS)]
    asked = [m.name for m in all_metrics().values() if {"factors", "factor_ranks"} & {*m.takes}]
    measured = {name: measure_table(table, factors=names, metrics=asked) for name, table in tables(count).items()}
    found = []
    for score in measured["truth"].scores:
        if score.part in names or score.model:
            continue
        others = {name: each.score(score.metric, score.part) for name, each in measured.items()}
        chance = others["chance"]
        found.append(
            {"metric": score.metric, "part": score.part, "ceiling": score.ceiling}
            | {name: round(other.value, 3) for name, other in others.items() if other is not None}
            | {"null": None if chance is None else chance.null}
        )
    return found


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="500 images, not kept")
    args = parser.parse_args()
    table = rows(500 if args.quick else 5000)
    ledger.show("Codes of known worth", table)
    ledger.keep("ceilings", table, quick=args.quick)


if __name__ == "__main__":
    main()
