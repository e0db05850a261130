"""Codes of any number of images, kept on the disk while they are computed, so that what is interrupted goes on.

Beside the file that is to be written lies a folder with the codes so far. Images go through the network in the batches
that they would be in anyway, so that the codes are those of a run through without a break, bit for bit on a CPU.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from torch import Tensor

from vaelab import files
from vaelab.data import ImageCollection, content_hash
from vaelab.data.feed import Feed
from vaelab.errors import InputError
from vaelab.inference import Embedding, posteriors
from vaelab.models import device_of, local_randomness
from vaelab.runs.claim import claimed
from vaelab.runs.read import Run, weights_of
from vaelab.screen import Progress
from vaelab.settings.record import digest
from vaelab.training.step import noise_seed

BATCH = 256
"""Images that go through the network at once."""
KEPT_EVERY_S = 2.0
"""Seconds after which what was computed is flushed to the disk: so much a kill may lose."""
_NAMES = ("loc", "scale")


@contextmanager
def streamed(
    run: Run,
    collection: ImageCollection,
    target: Path,
    *,
    progress: bool = False,
    say: Callable[[str], None] | None = None,
) -> Iterator[Embedding]:
    """The posterior of each image, mapped from files that are gone after the block, unless it failed.

    Args:
        run: With the model that is asked.
        collection: The images, as the run's are stored.
        target: The file that is to be written; the codes so far lie beside it.
        progress: Show a progress bar.
        say: Is told in words where an interrupted embedding goes on.

    Raises:
        InputError: The disk is full, another process embeds to the same file, or images cannot be read.
        KeyboardInterrupt: The user stopped it; the message says how far it came.
    """
    folder, dim, count = target.with_name(f".{target.name}.codes"), run.model.latent_dim, len(collection)
    question = _question(run, collection)
    with claimed(folder):
        done = min(_done(folder, question), count)
        if done and say:
            say(f"{done:,} of {count:,} images were embedded already; it goes on from there")
        with Progress("embedding", count, shown=progress) as bar:
            bar.advance(done)
            _embed(run, collection, folder, question, done, bar)
        loc, scale = (np.asarray(np.memmap(folder / name, np.float32, "r", shape=(count, dim))) for name in _NAMES)
        yield Embedding(loc=loc, scale=scale)
        del loc, scale
        shutil.rmtree(folder, ignore_errors=True)


def _question(run: Run, collection: ImageCollection) -> str:
    """What the codes depend on: the run and its images, its weights and stage, the images, and where is computed."""
    own = "dataset" in run.images.__dict__ and run.dataset.collection is collection
    weights = hashlib.sha256(weights_of(run.folder).read_bytes()).hexdigest()
    stages = [name for name, stage in run.model.stages().items() if stage is run.model]
    images = run.facts.content_hash if own else content_hash(collection)
    shape = [type(run.model).__name__, run.model.latent_dim, *stages]
    where = [str(device_of(run.model)), torch.__version__]
    return digest({"run": run.hash, "weights": weights, "model": shape, "images": images, "where": where})


def _done(folder: Path, question: str) -> int:
    """How many images' codes are kept there as an answer to the question."""
    try:
        record = json.loads((folder / "done.json").read_text())
        return int(record["done"]) if record["question"] == question else 0
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _embed(run: Run, collection: ImageCollection, folder: Path, question: str, done: int, bar: Progress) -> None:
    """Appends the codes of the images from `done` on."""
    count, row_bytes = len(collection), run.model.latent_dim * 4
    if done == count:
        return
    model = run.given_table(collection.table.iloc[done:])
    feed = Feed(collection.images, run.intensity, run.experiment.data.binarize)
    try:
        with ExitStack() as stack:
            outs = [stack.enter_context(open(folder / name, "ab")) for name in _NAMES]
            for out in outs:
                out.truncate(done * row_bytes)
            stack.enter_context(local_randomness(0, device_of(model)))
            kept_at = time.monotonic()
            for codes in posteriors(model, _batches(feed, done), BATCH):
                for out, values in zip(outs, (codes.loc, codes.scale), strict=True):
                    out.write(np.ascontiguousarray(values, np.float32).data)
                done += len(codes)
                bar.advance(len(codes))
                if done == count or time.monotonic() - kept_at > KEPT_EVERY_S:
                    _keep(folder, outs, question, done)
                    kept_at = time.monotonic()
    except KeyboardInterrupt:
        kept = _done(folder, question)
        message = f"Stopped after {kept:,} of {count:,} images; the same command goes on from there."
        raise KeyboardInterrupt(message) from None
    except OSError as error:
        mend = "Make room and give the same command again: what is done is kept."
        raise InputError(str(folder), "hold the codes so far", error.strerror or error, mend) from None


def _batches(feed: Feed, start: int) -> Iterator[Tensor]:
    """The images from `start` on; what is drawn for a batch follows from its place."""
    for first in range(start, len(feed), BATCH):
        if feed.binarize == "dynamic":
            torch.default_generator.manual_seed(noise_seed(0, first))
        yield feed(slice(first, first + BATCH))


def _keep(folder: Path, outs: Sequence[BinaryIO], question: str, done: int) -> None:
    for out in outs:
        out.flush()
        os.fsync(out.fileno())
    files.write(folder / "done.json", json.dumps({"question": question, "done": done}), flush=True)
