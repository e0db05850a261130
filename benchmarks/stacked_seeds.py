"""Weights of several seeds stacked and stepped by `torch.func`, against a step of each in turn, on one core.

    python -m benchmarks.stacked_seeds [--quick]

Times are the process's own processor time, so that other processes disturb them little; both ways alternate.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from benchmarks import ledger
from vaelab.models import VAEConfig
from vaelab.networks.conv import ConvDecoder, ConvEncoder
from vaelab.networks.mlp import MLPDecoder, MLPEncoder
from vaelab.objectives.elbo import ELBO
from vaelab.training.step import ObjectiveStep

SEEDS, STEPS, ROUNDS = 4, 3, 7
_TANH = VAEConfig(
    latent_dim=50,
    encoder=MLPEncoder(hidden=(200, 200), activation="tanh"),
    decoder=MLPDecoder(hidden=(200, 200), activation="tanh"),
)
_CONV = VAEConfig(
    latent_dim=10,
    encoder=ConvEncoder(widths=(32, 32, 64, 64), kernels=(4, 4, 2, 2), norm="none"),
    decoder=ConvDecoder(widths=(64, 64, 32, 32), norm="none"),
)
CASES = {
    "MLP 64-512-256-10, batch 64": (VAEConfig(latent_dim=10), (1, 8, 8), 64),
    "MLP 784-200-200-50, batch 64": (_TANH, (1, 28, 28), 64),
    "MLP 784-200-200-50, batch 256": (_TANH, (1, 28, 28), 256),
    "disentanglement net 64x64x1, batch 64": (_CONV, (1, 64, 64), 64),
}


def main() -> None:
    """Measures every case and prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two rounds, not kept")
    quick = parser.parse_args().quick
    torch.set_num_threads(1)
    rows = [compare(name, *case, rounds=2 if quick else ROUNDS) for name, case in CASES.items()]
    ledger.show(f"A step of one seed out of {SEEDS}, milliseconds of one core (medians)", rows)
    ledger.keep("stacked_seeds", rows, quick=quick)


def compare(
    name: str, config: VAEConfig, shape: tuple[int, int, int], batch: int, *, rounds: int
) -> dict[str, str | float]:
    """Both ways of one case, alternated after a warm-up."""
    steps = []
    for seed in range(SEEDS):
        torch.manual_seed(seed)
        steps.append(ObjectiveStep(config.build(shape).train(), ELBO(), nn.ModuleList()))
    x = torch.rand(SEEDS, batch, *shape).round()
    ways = {"in turn": in_turn(steps, x), "stacked": stacked(steps, x)}
    times: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds + 1):
        for way, step in ways.items():
            begun = time.process_time()
            for _ in range(STEPS):
                step()
            times[way].append((time.process_time() - begun) / STEPS / SEEDS * 1000)
    medians = {way: statistics.median(found[1:]) for way, found in times.items()}
    ratio = medians["in turn"] / medians["stacked"]
    return {"model": name, **{way: round(value, 2) for way, value in medians.items()}, "times as fast": round(ratio, 2)}


def in_turn(steps: list[ObjectiveStep], x: Tensor) -> Callable[[], None]:
    """A step of each seed, one after another."""
    optimizers = [torch.optim.Adam(step.parameters(), fused=True) for step in steps]

    def step() -> None:
        for each, optimizer, images in zip(steps, optimizers, x, strict=True):
            noise = each.draw_noise(len(images), images.device)
            optimizer.zero_grad(set_to_none=True)
            each(images, None, None, None, noise).terms[""]["loss"].mean().backward()
            optimizer.step()

    return step


def stacked(steps: list[ObjectiveStep], x: Tensor) -> Callable[[], None]:
    """A step of all seeds at once."""
    weights, _ = stack_module_state(list(steps))
    optimizer, base = torch.optim.Adam(list(weights.values()), fused=True), copy.deepcopy(steps[0])

    def loss(weights: dict[str, Tensor], images: Tensor, noise: Tensor) -> Tensor:
        return functional_call(base, weights, (images, None, None, None, noise)).terms[""]["loss"].mean()

    def step() -> None:
        noise = torch.stack([each.draw_noise(x.shape[1], x.device) for each in steps])
        optimizer.zero_grad(set_to_none=True)
        vmap(loss)(weights, x, noise).sum().backward()
        optimizer.step()

    return step


if __name__ == "__main__":
    main()
