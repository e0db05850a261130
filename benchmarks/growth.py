"""How costs grow: with images, latents, image side, channels and seeds, one at a time, as exponents.

    python -m benchmarks.growth [--quick] [--most 20] [--sweeps images ...] [--without report ...]

A small dense VAE (64 units) on packed images; what is not swept stays at 2,000 images of 28x28x1, 8 latents, one seed.
Each step of a user's way is timed by what it takes of the processor, children included, as others may use the machine:
preparing the images, a pass of training, embedding to CSV, evaluating and reporting (all held-out images, 5 draws),
opening the explorer's view. The exponent is the slope of a line through (log size, log seconds), `at the end` that of
the last two points: 1 is linear. A point that would take over `--most` seconds, going on as the last two, is left out.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

import vaelab
from benchmarks import ledger
from vaelab.cli import main as vaelab_command
from vaelab.data import Data, ImageCollection
from vaelab.data.packing import pack
from vaelab.data.sources.shards import ShardsSource
from vaelab.experiment import Experiment, write
from vaelab.explorer.view import open_view
from vaelab.likelihoods.grey_bernoulli import GreyBernoulliLikelihood
from vaelab.networks.mlp import MLPDecoder, MLPEncoder

SWEEPS = {
    "images": (1_000, 10_000, 100_000, 1_000_000),
    "latents": (2, 8, 32, 128, 512),
    "side": (28, 64, 128, 256, 512),
    "channels": (1, 3, 10, 30),
    "seeds": (1, 4, 16),
}
USUAL = {"images": 2_000, "latents": 8, "side": 28, "channels": 1, "seeds": 1}
FEWER = {"side": 200, "channels": 500}
"""Images where one of these is swept."""
TRAINED_WITH_SEEDS = 10
"""Steps of each seed."""


class Noise:
    """Stored images of random pixels, 64 different ones."""

    def __init__(self, images: int, channels: int, side: int):
        self.shape, self.dtype = (images, channels, side, side), np.dtype(np.uint8)
        self.known = np.random.default_rng(0).integers(0, 256, (64, channels, side, side), dtype=np.uint8)

    def __len__(self) -> int:
        return self.shape[0]

    def take(self, rows: np.ndarray, out: np.ndarray) -> None:
        np.take(self.known, rows % 64, axis=0, out=out, mode="clip")


def experiment_of(place: Path, size: dict[str, int]) -> Experiment:
    """Packs the images and gives what is trained on them."""
    images = Noise(size["images"], size["channels"], size["side"])
    table = pd.DataFrame({"label": np.arange(len(images)) % 10, "dose": np.arange(len(images)) / len(images)})
    pack(ImageCollection(images=images, table=table), place / "shards")
    base = vaelab.presets.sprites()
    dense = {"encoder": MLPEncoder(hidden=(64,)), "decoder": MLPDecoder(hidden=(64,))}
    likelihood = GreyBernoulliLikelihood()
    return replace(
        base,
        data=Data(source=ShardsSource(path=str(place / "shards"))),
        model=replace(base.model, latent_dim=size["latents"], likelihood=likelihood, **dense),
        training=replace(base.training, num_steps=None, num_epochs=1),
        machine=replace(base.machine, tune=False, threads=1),
    )


def steps_of(place: Path, size: dict[str, int], several: bool) -> dict[str, Callable[[], object]]:
    """What is timed, in this order; with `several` seeds their trainings alone."""
    experiment, run = experiment_of(place, size), str(place / "run")
    looking = ["--num-images", str(size["images"]), "--num-samples", "5", "--quiet"]

    def command(*words: str) -> None:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as said:
            if vaelab_command([*words]):
                raise RuntimeError(said.getvalue())

    if several:
        short, file = replace(experiment.training, num_steps=TRAINED_WITH_SEEDS), place / "experiment.json"
        write(replace(experiment, training=short), file)
        seeds = [str(seed) for seed in range(size["seeds"])]
        return {"train --seeds": lambda: command("train", str(file), "--seeds", *seeds, "--out", run, "--quiet")}
    prepared: list[Any] = []

    def prepare() -> None:
        prepared.append(experiment.prepare())
        assert prepared[0].content_hash

    return {
        "prepare": prepare,
        "epoch": lambda: vaelab.train(experiment, run, dataset=prepared[0], progress=False),
        "embed": lambda: command("embed", run, "-o", str(place / "codes.csv"), "--quiet"),
        "evaluate": lambda: command("evaluate", run, *looking),
        "report": lambda: command("report", run, *looking),
        "explorer": lambda: open_view(vaelab.load(run)),
    }


def processor() -> float:
    """Seconds of the processor so far, of this process and of its children that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def sweep(name: str, values: Sequence[int], most: float, without: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The points of each step along one axis."""
    points: dict[str, list[tuple[int, float]]] = {}
    before = 0
    for value in values:
        size = USUAL | ({"images": FEWER[name]} if name in FEWER else {}) | {name: value}
        with tempfile.TemporaryDirectory() as folder:
            for step, work in steps_of(Path(folder), size, name == "seeds").items():
                known = points.setdefault(step, [])
                if step in without or expected(known, value) > most or (known and known[-1][0] != before):
                    if step == "epoch":  # without it there is no run
                        break
                    continue
                start, clock = processor(), time.perf_counter()
                work()
                known.append((value, round(processor() - start, 3)))
                seconds = time.perf_counter() - clock
                print(f"{name} {value:,}: {step} {known[-1][1]:.2f} s ({seconds:.1f} s)", flush=True)
        before = value
    return [
        {"sweep": name, "step": step, "exponent": slope(known), "at the end": slope(known[-2:]),
         "points": "  ".join(f"{value:,}: {seconds:.2f}" for value, seconds in known)}
        for step, known in points.items() if known
    ]  # fmt: skip


def expected(points: list[tuple[int, float]], value: int) -> float:
    """Seconds at a value, by the growth between the last two points; none before there are two."""
    if len(points) < 2:
        return 0.0
    size, seconds = points[-1]
    return seconds * (value / size) ** max(0.0, slope(points[-2:]) or 0.0)


def slope(points: list[tuple[int, float]]) -> float | None:
    """Of the line through the logarithms."""
    if len(points) < 2:
        return None
    x, y = np.log(np.maximum(points, 1e-3)).T
    return round(float(np.polyfit(x, y, 1)[0]), 2)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--most", type=float, default=20.0)
    parser.add_argument("--sweeps", nargs="+", choices=SWEEPS, default=[*SWEEPS])
    parser.add_argument("--without", nargs="+", default=(), metavar="STEP")
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    sweep("images", (200,), given.most)  # what is imported and compiled once is paid here
    for name in given.sweeps:
        rows += sweep(name, SWEEPS[name][: 2 if given.quick else None], given.most, given.without)
    ledger.show("Growth", rows)
    ledger.keep("growth", rows, quick=given.quick)


if __name__ == "__main__":
    main()
