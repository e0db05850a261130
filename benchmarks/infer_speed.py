"""Posteriors without the encoder: all images at once, against one image after another.

    python -m benchmarks.infer_speed [--quick]

500 Adam steps for each of 1,000 images, one thread. One after another is timed on a few images, before the whole and
after it. Seconds are of the processor's clock, so that other work beside it counts less.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch

from benchmarks import ledger, pictures
from benchmarks.ledger import against
from vaelab import presets
from vaelab.inference import Search, infer
from vaelab.models import Model, VAEConfig
from vaelab.networks.mlp import MLPDecoder, MLPEncoder

IMAGES, ALONE = 1000, 4
FLOORS = {"MLP 784-200-200-50": 20.0, "conv 64x64x1": 3.5}


def models() -> dict[str, tuple[Model, torch.Tensor]]:
    """Name -> a fresh model, and images for it."""
    mlp = VAEConfig(latent_dim=50, encoder=MLPEncoder(hidden=(200, 200)), decoder=MLPDecoder(hidden=(200, 200)))
    sprites = torch.from_numpy(np.asarray(pictures.make("sprites", IMAGES), np.float32) / 255)
    return {
        "MLP 784-200-200-50": (mlp.build((1, 28, 28)), torch.rand(IMAGES, 1, 28, 28).round()),
        "conv 64x64x1": (presets.sprites().model.build((1, 64, 64)), sprites.round()),
    }


def seconds(model: Model, x: torch.Tensor, search: Search, at_once: int) -> float:
    """Of the search for all of these images, so many at a time."""
    start = time.process_time()
    for some in x.split(at_once):
        infer(model, some, search)
    return time.process_time() - start


def main() -> None:
    """Measures both networks and keeps the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="few images and steps, not kept")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    count, steps = (50, 5) if args.quick else (IMAGES, 500)
    search, rows = Search(num_steps=steps, patience=steps), []
    for name, (model, x) in models().items():
        before = seconds(model, x[:ALONE], search, 1) / ALONE
        together = seconds(model, x[:count], search, count) / count
        alone = (before + seconds(model, x[:ALONE], search, 1) / ALONE) / 2
        speeds = {"all at once, images/s": 1 / together, "one by one, images/s": 1 / alone}
        verdict = against(1 / together, 1 / alone, FLOORS[name], FLOORS[name])
        rows.append({"network": name, "steps": steps, "images": count, **speeds, **verdict})
    ledger.show("Posteriors without the encoder", rows)
    ledger.keep("infer_speed", rows, quick=args.quick)


if __name__ == "__main__":
    main()
