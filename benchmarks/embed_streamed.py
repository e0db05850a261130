"""Embedding packed images to a file, streamed and resumable, against the bare forward pass of the same network.

    python -m benchmarks.embed_streamed [--quick]

Bare: the encoder and its distribution on images that are in memory as floats already, in batches of 256. Streamed: what
`vaelab embed RUN shards/ -o codes.parquet` does from the opened images on: read, compare with checksums, scale, encode,
flush to the disk, write the file; and the hash of the images, which counts more here than it would of many, as no more
than 1 GiB is hashed. Both keep freed memory, as the command does, by turns in one process, of which the least disturbed
round counts; seconds are the processor's, since others may use the machine.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

import vaelab
from benchmarks import ledger
from benchmarks.millions import Patterns
from vaelab.data import ImageCollection
from vaelab.data.feed import Feed
from vaelab.data.packing import pack
from vaelab.data.sources.shards import ShardsSource
from vaelab.likelihoods.grey_bernoulli import GreyBernoulliLikelihood
from vaelab.machine import keep_freed_memory
from vaelab.models import evaluating
from vaelab.networks.mlp import MLPDecoder, MLPEncoder
from vaelab.runs import Run
from vaelab.runs.export import write_embedding
from vaelab.runs.streamed import streamed

FLOOR, ROUNDS, BATCH = 0.9, 5, 256
DENSE = {"encoder": MLPEncoder(hidden=(512, 256)), "decoder": MLPDecoder(hidden=(64,))}
NETWORKS: dict[str, dict[str, Any]] = {"convolutions of the disentanglement benchmark": {}, "dense 512-256": DENSE}


def trained(folder: Path, shards: Path, parts: dict[str, Any]) -> Run:
    """A run of one step: what is measured does not depend on the weights."""
    base = vaelab.presets.sprites()
    model = replace(base.model, likelihood=GreyBernoulliLikelihood(), **parts)
    training = replace(base.training, num_steps=1, batch_size=4)
    split = vaelab.data.Split(validation=4, test=4)
    data = vaelab.data.Data(source=ShardsSource(path=str(shards)), split=split)
    machine = replace(base.machine, tune=False)
    experiment = replace(base, data=data, model=model, training=training, machine=machine)
    return vaelab.train(experiment, folder, progress=False)


def processor_seconds(work: Callable[[], object]) -> float:
    """What a piece of work takes of the processor, its threads together."""
    start = time.process_time()
    work()
    return time.process_time() - start


def measure(name: str, folder: Path, shards: Path, parts: dict[str, Any], rounds: int) -> dict[str, Any]:
    """Both sides by turns."""
    run = trained(folder / f"run {name}", shards, parts)
    collection = ShardsSource(path=str(shards)).load()
    count, feed = len(collection), Feed(collection.images, run.intensity)
    some = [x.clone() for x in feed.batches(slice(0, 4 * BATCH), BATCH)]

    def bare() -> None:
        with evaluating(run.model):
            for i in range(count // BATCH):
                q = run.model.encode(some[i % len(some)])
                assert len(q.mean.numpy()) == len(q.stddev.numpy())

    def whole() -> None:
        target = folder / "codes.parquet"
        fresh = ShardsSource(path=str(shards)).load()
        with streamed(run, fresh, target) as codes:
            write_embedding(target, codes, fresh.table)

    taken = [(processor_seconds(bare), processor_seconds(whole)) for _ in range(rounds)]
    one, other = (min(seconds) for seconds in zip(*taken, strict=True))
    ratio = one / other
    return {
        "network": name, "images": count, "bare_per_s": round(count / one), "streamed_per_s": round(count / other),
        "share": round(ratio, 3), "floor": FLOOR, "held": ratio >= FLOOR,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    quick, rows = parser.parse_args().quick, []
    keep_freed_memory()
    torch.set_num_threads(1)
    count = BATCH * (4 if quick else 48)
    with tempfile.TemporaryDirectory() as place:
        images, table = Patterns(count), pd.DataFrame({"i": np.arange(count)})
        pack(ImageCollection(images=images, table=table), Path(place) / "shards")
        for name, parts in NETWORKS.items():
            rows.append(measure(name, Path(place), Path(place) / "shards", parts, 1 if quick else ROUNDS))
            print(rows[-1], flush=True)
    ledger.show("Streamed embedding at 64x64x3", rows)
    ledger.keep("embed_streamed", rows, quick=quick)


if __name__ == "__main__":
    main()
