"""Published numbers, trained and measured anew.

    python -m benchmarks.published [--data MNIST_FOLDER] [--quick]

Dynamic MNIST, the one-layer VAE of the IWAE paper (784-200-200-50): -log p(x) of test images with 5,000 importance
samples. The paper has 86.76 after 3,280 passes; the preset takes 180, and 90.0 is to be reached.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

from benchmarks import ledger
from benchmarks.vaelab_side import vaelab

LIMIT, PAPER = 90.0, 86.76


def default_data() -> Path:
    """MNIST's folder in $VAELAB_DATA, else in ../shared/data."""
    shared = Path(__file__).resolve().parents[2] / "shared" / "data"
    return Path(os.environ.get("VAELAB_DATA", shared)) / "mnist"


def iwae_mnist(data: Path, *, quick: bool) -> dict[str, object]:
    """Trains and evaluates the preset, as a user would."""
    settings = ["--training.num-epochs", "2"] if quick else []
    amounts = ["--num-samples", "50" if quick else "5000", "--num-images", "100" if quick else "1000"]
    with tempfile.TemporaryDirectory() as workplace:
        run = str(Path(workplace) / "run")
        start = time.perf_counter()
        vaelab("train", "iwae-mnist", "--data", str(data), "--out", run, *settings)
        minutes = (time.perf_counter() - start) / 60
        vaelab("evaluate", run, "--split", "test", *amounts)
        measured = json.loads((Path(run) / "metrics.json").read_text())
    score = measured["scores"]["log_likelihood"]
    low, high = sorted(-end for end in score["interval"])
    return {
        "preset": "iwae-mnist",
        "-log p(x), nats": round(-score["value"], 2),
        "95 % interval": f"{low:.2f} to {high:.2f}",
        "images": measured["num_images"],
        "samples": measured["num_samples"],
        "to reach": LIMIT,
        "published": PAPER,
        "reached": -score["value"] <= LIMIT,
        "minutes": round(minutes, 1),
    }


def main() -> None:
    """Trains, measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=default_data(), help="the folder of MNIST's four IDX files")
    parser.add_argument("--quick", action="store_true", help="two passes and few samples, not kept")
    args = parser.parse_args()
    rows = [iwae_mnist(args.data, quick=args.quick)]
    ledger.show("Published numbers", rows)
    ledger.keep("published", rows, quick=args.quick)


if __name__ == "__main__":
    main()
