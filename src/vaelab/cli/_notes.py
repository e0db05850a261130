"""What a command adds, on stderr, where its result needs a word of caution."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from vaelab.errors import printable

if TYPE_CHECKING:
    from vaelab.data import Dataset, ImageCollection
    from vaelab.evaluation import Measured
    from vaelab.runs import Run

_COLLAPSED = (
    "the posterior has collapsed: the model hardly uses its latents. Lower the weight of the rate, or warm it up"
)


def say_left_out(left_out: Sequence[tuple[str, str]], num_images: int) -> None:
    """Names the first few files that could not be used, with their reasons and the number of all.

    Args:
        left_out: (file, reason) of each; where there are none, nothing is said.
        num_images: The images that are left.
    """
    if not left_out:
        return
    print(f"Left out: {len(left_out):,} (used: {num_images:,} images)", file=sys.stderr)
    for file, reason in left_out[:5]:
        print(f"  {printable(f'{file}: {reason}')}", file=sys.stderr)
    if len(left_out) > 5:
        print(f"  and {len(left_out) - 5:,} more; vaelab data info names more, --strict refuses them", file=sys.stderr)


def say_reading(collection: ImageCollection) -> None:
    """Says how images and their table were read where that was not a matter of course, and what was left out."""
    for note in collection.notes:
        say(note)
    say_left_out(collection.left_out, len(collection))


def say_data(dataset: Dataset) -> None:
    """Says how images were read, what of the held-out ones is not new, and which channels are nearly constant."""
    say_reading(dataset.collection)
    for words in (*dataset.crossing, *dataset.faint):
        say(words)


def say_signs(done: Run) -> None:
    """Says where training stopped early, which estimates of a log's last step came to the top of what they can show,
    and which codes say nothing."""
    import pandas as pd

    from vaelab.training.checkpoint import read_numbers
    from vaelab.training.signs import FEW_STEPS, at_ceiling, collapsed

    numbers = read_numbers(done.folder / "checkpoints" / "last.safetensors")
    if numbers["stop"]:
        say(f"training stopped at step {numbers['step']:,}: {numbers['stop']} (training.patience)")
    log = done.metrics()
    log = pd.DataFrame(log[log["split"] == "train"])
    for stage in log["stage"].unique():
        rows = pd.DataFrame(log[log["stage"] == stage])
        of = f" of the {stage} stage" if stage else ""
        last = rows.iloc[-1].drop(["split", "stage"]).astype(float).dropna().to_dict()
        for name, (value, top) in at_ceiling(last).items():
            words = f"{name.replace('_', ' ')}{of} is {value:.2f} nats, and its estimator shows {top:.2f} at most"
            say(f"{words}; the true value may be any higher")
        if collapsed(last) and last["step"] >= FEW_STEPS:
            say(f"the last rate{of} is {last['rate']:.2g} nats, so {_COLLAPSED}")


def say_collapse(measured: Measured, done: Run) -> None:
    """Says so where the code says nothing of the image, unless the run is too short to tell."""
    from vaelab.training.signs import FEW_STEPS

    if measured.is_collapsed and done.metrics()["step"].max() >= FEW_STEPS:
        rate, active = measured.score("rate"), measured.score("active_units")
        found = [f"a rate of {rate.value:.2g} nats"] if rate else []
        found += [f"{active.value:.0f} active latents"] if active else []
        say(f"with {' and '.join(found)}, {_COLLAPSED}")


def say(text: str) -> None:
    """Says it on a line of its own."""
    print(f"Note: {printable(text)}.", file=sys.stderr)
