"""A million 64x64x3 images: packed, prepared, trained on and embedded, with the memory that each takes.

    python -m benchmarks.millions [--quick] [--images 1000000] [--folder WHERE]

Images are drawn from 4,096 patterns as they are packed, so that nothing but the shards needs the disk (12.3 GB). The
model is a small dense one, so that what is measured is the way of the images. Each part is a process of its own; its
memory is what it alone holds (RssAnon), not pages of files that the system can let go. Seconds are those of the
processor, since others may use the machine, and those of the clock.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import ledger

MOST_PREPARE_S, MOST_BYTES = 60.0, 2e9
STEPS = 150


class Patterns:
    """Stored images of a few random patterns, each image with its own brightness."""

    def __init__(self, count: int, side: int = 64):
        self.shape, self.dtype = (count, 3, side, side), np.dtype(np.uint8)
        self.known = np.random.default_rng(0).integers(0, 200, (4096, 3, side, side), dtype=np.uint8)

    def __len__(self) -> int:
        return self.shape[0]

    def take(self, rows: np.ndarray, out: np.ndarray) -> None:
        np.add(self.known[rows % 4096], (rows // 4096 % 50).astype(np.uint8)[:, None, None, None], out=out)


def pack(folder: Path, count: int) -> None:
    """Writes the shards: a path, a label of 10 and a number for each image."""
    from vaelab.data import ImageCollection, packing

    table = pd.DataFrame(
        {
            "path": [f"plate-{i // 1000:04}/{i:08}.png" for i in range(count)],
            "label": np.array([f"kind {k}" for k in range(10)], object)[np.arange(count) % 10],
            "dose": np.arange(count) % 7 / 7,
        }
    )
    packing.pack(ImageCollection(images=Patterns(count), table=table), folder / "shards")


def experiment(folder: Path):
    """A dense VAE of 64x64x3 on the shards."""
    from vaelab import presets
    from vaelab.data import Data, Split, open_source
    from vaelab.likelihoods.grey_bernoulli import GreyBernoulliLikelihood
    from vaelab.networks.mlp import MLPDecoder, MLPEncoder

    base = presets.sprites()
    training = replace(base.training, num_steps=STEPS, validate_every=None)
    dense = {"encoder": MLPEncoder(hidden=(64,)), "decoder": MLPDecoder(hidden=(64,))}
    model = replace(base.model, **dense, likelihood=GreyBernoulliLikelihood())
    machine = replace(base.machine, tune=False)
    data = Data(source=open_source(folder / "shards"), split=Split(validation=1000))
    return replace(base, name="millions", data=data, model=model, training=training, machine=machine)


def prepare(folder: Path, _: int) -> None:
    """Loads, divides, measures and hashes."""
    dataset = experiment(folder).prepare()
    assert len(dataset.content_hash) == 64


def train(folder: Path, _: int) -> None:
    """So many steps of batch 64, preparing included; validation as it comes."""
    import vaelab

    done = vaelab.train(experiment(folder), folder / "run", progress=False)
    assert done.folder.exists()


def embed(folder: Path, _: int) -> None:
    """All images, to CSV."""
    from vaelab.cli import main

    assert main(["embed", str(folder / "run"), str(folder / "shards"), "-o", str(folder / "codes.csv"), "--quiet"]) == 0


PARTS: dict[str, Callable[[Path, int], None]] = {"pack": pack, "prepare": prepare, "train": train, "embed": embed}


def part(name: str, folder: Path, count: int) -> None:
    """Does a part and prints what it took."""
    peak, over = [0], threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            lines = Path("/proc/self/status").read_text().splitlines()
            peak[0] = max(peak[0], next(int(line.split()[1]) << 10 for line in lines if line.startswith("RssAnon")))

    import torch  # noqa: F401

    import vaelab.data.packing  # noqa: F401

    watcher = threading.Thread(target=watch)
    watcher.start()
    clock, processor = time.perf_counter(), time.process_time()
    PARTS[name](folder, count)
    took = {"processor_s": time.process_time() - processor, "clock_s": time.perf_counter() - clock}
    over.set()
    watcher.join()
    print(json.dumps(took | {"anonymous_bytes": peak[0]}))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--part", choices=PARTS)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=[*PARTS])
    given = parser.parse_args()
    count = 5000 if given.quick else given.images
    if given.part:
        return part(given.part, given.folder, count)
    rows = []
    with tempfile.TemporaryDirectory(dir=given.folder) as place:
        for name in given.parts:
            command = [sys.executable, "-m", "benchmarks.millions", "--part", name, "--folder", place]
            command += ["--images", str(count)]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            told = json.loads(done.stdout.splitlines()[-1])
            quick_enough = name != "prepare" or told["processor_s"] <= MOST_PREPARE_S
            held = told["anonymous_bytes"] <= MOST_BYTES and quick_enough
            seconds = {key: round(told[key], 2) for key in ("processor_s", "clock_s")}
            memory = round(told["anonymous_bytes"] / 1e9, 3)
            rows.append({"part": name, "images": count, **seconds, "anonymous_gb": memory, "held": held})
            print(rows[-1], flush=True)
    ledger.show("Millions of images", rows)
    ledger.keep("millions", rows, quick=given.quick)
    return None


if __name__ == "__main__":
    main()
