"""Writes a report and the files beside it."""

from __future__ import annotations

import json
import os
from pathlib import Path

from vaelab.errors import InputError
from vaelab.report.evidence import Evidence
from vaelab.report.gather import gather
from vaelab.report.page import render
from vaelab.runs import Run


def write_report(
    run: Run,
    path: Path | str | None = None,
    *,
    max_images: int | None = None,
    num_samples: int | None = None,
    seed: int = 0,
    progress: bool = False,
) -> Path:
    """Writes one HTML file on a run that needs nothing else to be read, and metrics.json and per_image.csv beside it.

    Args:
        run: The run.
        path: The HTML file, or a folder to put ``report.html`` in; None: in the run's folder.
        max_images: Held-out images to measure at most, a random draw; None: 2,000, fewer where images are large.
        num_samples: Draws of the posterior per image, for ELBO and log p(x); None: 64, fewer where images are large.
        seed: Of every draw: the same seed gives the same report.
        progress: Show a progress bar.

    Returns:
        Where the report lies.

    Raises:
        InputError: A number is out of range, the run's images are not there any more, or the place cannot be written.
    """
    path = Path(path) if path is not None else run.folder
    path = path / "report.html" if path.is_dir() else path
    if not path.parent.is_dir():
        raise InputError(str(path.parent), "be a folder", "nothing there" if not path.parent.exists() else "a file")
    evidence = gather(run, max_images=max_images, num_samples=num_samples, seed=seed, progress=progress)
    texts = {
        path.with_name("metrics.json"): json.dumps(_numbers(evidence, seed), indent=1, allow_nan=False),
        path.with_name("per_image.csv"): evidence.per_image.to_csv(index=False),
        path: render(evidence),
    }
    for place, text in texts.items():
        _write(place, text)
    return path


def _numbers(evidence: Evidence, seed: int) -> dict:
    facts = {
        "split": evidence.split,
        "num_images": len(evidence.per_image),
        "num_samples": evidence.num_samples,
        "seed": seed,
    }
    first = {"first_stage": evidence.first.to_dict()} if evidence.first else {}
    return facts | evidence.measures.to_dict() | first


def _write(place: Path, text: str) -> None:
    """All of it or nothing."""
    part = place.with_name(f".{place.name}.part")
    try:
        part.write_text(text, encoding="utf-8", newline="\n")
        os.replace(part, place)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise InputError(str(place), "be a file that can be written", error.strerror or str(error)) from None
