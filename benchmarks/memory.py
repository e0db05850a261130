"""How much memory training takes on a collection far larger than it: a sparse memory-mapped file of 20 GB.

python -m benchmarks.memory
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks import ledger
from vaelab import presets
from vaelab.data import Data, Split, open_source
from vaelab.experiment import write
from vaelab.likelihoods.grey_bernoulli import GreyBernoulliLikelihood

LIMIT = 2.0
"""Gigabytes of resident memory that must not be passed."""


def sparse_collection(path: Path, num_bytes: float) -> None:
    """A file of so many bytes of black 64x64x3 images that takes next to no room on the disk."""
    shape = (int(num_bytes / (3 * 64 * 64)), 3, 64, 64)
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
        file.truncate(file.tell() + int(np.prod(shape)))


def peak_of_training(images: Path, folder: Path, num_steps: int) -> float:
    """Largest resident memory, in gigabytes, of a process that trains so many steps of batch 64 on the images.

    Raises:
        RuntimeError: Training failed; holds what it said.
    """
    base = presets.sprites()
    model = replace(base.model, likelihood=GreyBernoulliLikelihood())
    training = replace(base.training, num_steps=num_steps, validate_every=None)
    data = Data(source=open_source(images), split=Split(validation=1000, test=1000))
    write(replace(base, data=data, model=model, training=training), folder / "large.json")
    files = [str(folder / "large.json"), "--out", str(folder / "run")]
    command = [sys.executable, "-m", "vaelab", "train", *files, "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        errors = process.stderr.read() if process.stderr else ""
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(errors[-4000:])
    return _gigabytes(used)


def _gigabytes(used: resource.struct_rusage) -> float:
    return used.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e9


def row(num_steps: int = 1000) -> dict[str, object]:
    """The measure, as a row of the table of costs."""
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder) / "large.npy"
        sparse_collection(images, 20e9)
        peak = peak_of_training(images, Path(folder), num_steps)
    held = peak <= LIMIT
    return {
        "cost": "resident memory, 20 GB of images",
        "value": f"{peak:.2f} GB",
        "floor": f"<= {LIMIT:g} GB",
        "held": held,
    }


if __name__ == "__main__":
    rows = [row()]
    ledger.show("Memory", rows)
    ledger.keep("memory", rows)
