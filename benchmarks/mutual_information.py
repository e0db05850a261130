"""Bounds on mutual information against the truth: correlated Gaussians in 20 dimensions, critics trained from scratch.

python -m benchmarks.mutual_information [--quick]
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from benchmarks import ledger
from vaelab.bounds import Bound
from vaelab.bounds.donsker_varadhan import DonskerVaradhan
from vaelab.bounds.info_nce import InfoNCE
from vaelab.bounds.interpolated import Interpolated
from vaelab.bounds.nwj import NWJ
from vaelab.bounds.smile import Smile
from vaelab.catalogue import name_of
from vaelab.critics import Critic
from vaelab.critics.concatenated import ConcatenatedCritic
from vaelab.critics.separable import SeparableCritic

DIMENSIONS = 20
BATCH = 64
TRUTHS = (2.0, 4.0, 6.0, 8.0, 10.0)
"""Nats."""
BOUNDS: tuple[Bound, ...] = (DonskerVaradhan(), NWJ(), InfoNCE(), Smile(), Interpolated())
CRITICS: tuple[Critic, ...] = (
    SeparableCritic(hidden=(256, 256), embedding_dim=32),
    ConcatenatedCritic(hidden=(256, 256), negatives=7),
)

Pairs = Callable[[], tuple[Tensor, Tensor]]


def correlated(truth: float) -> Pairs:
    """Draws batches of pairs of normal vectors that share so many nats: I = -(dimensions / 2) log(1 - rho^2)."""
    rho = math.sqrt(-math.expm1(-2 * truth / DIMENSIONS))

    def draw() -> tuple[Tensor, Tensor]:
        a, noise = torch.randn(2, BATCH, DIMENSIONS)
        return a, rho * a + math.sqrt(1 - rho**2) * noise

    return draw


def values(bound: Bound, critic: Critic, draw: Pairs, num_steps: int, num_batches: int) -> Iterator[float]:
    """What the bound says of fresh batches, one after the other, by a critic that was trained for so many steps."""
    network, estimator = critic.build((DIMENSIONS,), DIMENSIONS), bound.build()
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-4)
    for _ in range(num_steps):
        optimizer.zero_grad()
        (-estimator.surrogate(network(*draw()))).backward()
        optimizer.step()
    with torch.no_grad():
        for _ in range(num_batches):
            yield estimator(network(*draw())).item()


def row(bound: Bound, critic: Critic, truth: float, num_steps: int, num_batches: int = 400) -> dict[str, object]:
    """Bias, and standard deviation from batch to batch, of one bound with one critic."""
    torch.manual_seed(0)
    found = torch.tensor(list(values(bound, critic, correlated(truth), num_steps, num_batches)), dtype=torch.float64)
    ceiling = bound.ceiling(critic.num_negatives(BATCH))
    return {
        "bound": name_of(bound),
        "critic": name_of(critic),
        "negatives": critic.num_negatives(BATCH),
        "truth": truth,
        "mean": round(found.mean().item(), 3),
        "bias": round(found.mean().item() - truth, 3),
        "std": round(found.std().item(), 3),
        "ceiling": round(ceiling, 2) if math.isfinite(ceiling) else None,
    }


def main() -> None:
    """Trains a critic for each bound and truth, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few steps, two truths, not kept")
    args = parser.parse_args()
    num_steps, truths = (300, TRUTHS[:2]) if args.quick else (2500, TRUTHS)
    rows = []
    for critic in CRITICS:
        for bound in BOUNDS:
            for truth in truths:
                rows.append(row(bound, critic, truth, num_steps))
                print(rows[-1], flush=True)
    ledger.show(f"Mutual information, {DIMENSIONS} dimensions, batches of {BATCH}, {num_steps} steps", rows)
    ledger.keep("mutual_information", rows, quick=args.quick)


if __name__ == "__main__":
    main()
