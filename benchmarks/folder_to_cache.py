"""From a folder of 6,000 PNG files to the array that training reads: vaelab against a loop of Pillow.

    python -m benchmarks.folder_to_cache [--quick]

The plain loop opens each file, makes an array of it and stacks them all in memory; it writes nothing. vaelab reads,
checks each file's checksums, sorts out unusable ones and writes the cache to the disk. Both in a process of their own,
imports not counted, files in the system's cache.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks import ledger, pictures
from benchmarks.ledger import against
from benchmarks.rounds import alternate, medians, quiet_rounds
from vaelab.catalogue import members
from vaelab.data import Source

ROUNDS, FILES = 15, 6000
FLOOR, AIM = 1.6, 1.9
KINDS = ("sprites", "cells_synthetic")


def plain(folder: Path) -> np.ndarray:
    """What one would write by hand."""
    from PIL import Image

    return np.stack([np.asarray(Image.open(path)) for path in sorted(folder.glob("*.png"))])


def ours(folder: Path) -> np.ndarray:
    """The same with vaelab, into a fresh cache."""
    from vaelab.data import open_source

    return open_source(folder).load().images


def contestant(name: str, folder: Path) -> None:
    """One timed run of one of the two; prints files per second."""
    import PIL.PngImagePlugin  # noqa: F401

    import vaelab.data.sources.folder  # noqa: F401

    members(Source)
    gc.collect()  # what the imports left, for both
    with tempfile.TemporaryDirectory() as cache:
        os.environ["VAELAB_CACHE"] = cache
        start = time.perf_counter()
        images = {"plain": plain, "vaelab": ours}[name](folder)
        print(json.dumps({"files_per_s": len(images) / (time.perf_counter() - start)}))


def main() -> None:
    """Measures all kinds of pictures and keeps the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="one short round, not kept")
    parser.add_argument("--contestant", nargs=2, metavar=("NAME", "FOLDER"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.contestant:
        contestant(args.contestant[0], Path(args.contestant[1]))
        return
    rows = []
    for kind in KINDS:
        with tempfile.TemporaryDirectory() as place:
            folder, count = Path(place) / kind, 300 if args.quick else FILES
            pictures.write_png(partial(pictures.make, kind, count), folder)
            sides = {name: ("--contestant", name, str(folder)) for name in ("plain", "vaelab")}
            results = alternate("benchmarks.folder_to_cache", sides, 2 if args.quick else ROUNDS)
        speed = medians(results, "files_per_s")
        row = {"pictures": kind, "Pillow loop, files/s": speed["plain"], "vaelab, files/s": speed["vaelab"]}
        verdict = against(speed["vaelab"], speed["plain"], FLOOR, AIM)
        rows.append({**row, **verdict, "rounds": len(quiet_rounds(results))})
    ledger.show(f"A folder of {FILES:,} PNG files to the ready cache", rows)
    ledger.keep("folder_to_cache", rows, quick=args.quick)


if __name__ == "__main__":
    main()
