"""`vaelab infer`: posteriors without the encoder, and images completed from a part of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from vaelab import files
from vaelab.cli._options import Changing, Flag, OnStage, naming
from vaelab.errors import InputError
from vaelab.settings.ranges import AtLeast1, PathText, Seed

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from vaelab.inference import Search
    from vaelab.metrics import Score
    from vaelab.runs import Run

EXAMPLES = """\
examples:
  vaelab infer runs/mnist-1 -o inferred/                    posteriors, and what the encoder loses against them
  vaelab infer runs/mnist-1 -o inferred/ --optimizer sgd --learning-rate 0.001        the setting of study 2
  vaelab infer runs/mnist-1 -o completed/ --visible left    from the left half, the right one
  vaelab infer runs/mnist-1 -o completed/ --visible mask.png --rows 0-9,60012
  vaelab infer --help                                       every setting of the search is a flag

For each held-out image a Gaussian of its own is searched for, all images together, the decoder left as it is. Without
--visible, what lies between log p(x) and the ELBO is measured: the amortisation gap, which a better encoder would
close, and the approximation gap, which a better family of posteriors would. With it, the error of the hidden pixels,
beside what the encoder makes of the image with its hidden part black, and the training image that is nearest in the
visible part. drawn.npz holds the images and what is drawn of them, in the units of the files; of a completion also five
draws. `vaelab draw RUN infer` and `vaelab draw RUN completion` show ten images."""

Steps = Callable[[int], None]
_DRAWS = 5
"""Of each completion."""


@dataclass(frozen=True, kw_only=True)
class Options(OnStage, Changing):
    """Posteriors of images without the encoder, and images completed."""

    output: Annotated[PathText, Flag("-o", metavar="FOLDER")]
    """Where posteriors.csv, scores.csv and drawn.npz go; made if it isn't there."""
    visible: Annotated[str | None, Flag(metavar="SIDE|MASK")] = None
    """The half that is seen (left, right, top or bottom), or a picture of the images' size, white where pixels are
    known; left out, all are."""
    num_images: AtLeast1 = 200
    """Held-out images, a random draw."""
    rows: Annotated[str | None, Flag(metavar="0-9,12")] = None
    """These rows of the collection instead, of whatever part."""
    num_draws: AtLeast1 = 100
    """Draws of each posterior for its ELBO; log p(x) is estimated from 20 times as many."""
    reference: Literal["importance", "annealing"] = "importance"
    """How log p(x) is estimated; annealing (500 temperatures, 16 chains) needs no posterior, and takes longer."""
    seed: Seed = 0
    """Of every draw."""


def run(options: Options) -> int:
    """Does it."""
    import numpy as np

    from vaelab.evaluation import scores_table
    from vaelab.inference import Search
    from vaelab.runs.question import ask, rows_in, rows_of
    from vaelab.screen import Progress
    from vaelab.settings.text import override

    with options.naming():
        search = override(Search(), options.settings)
    trained = options.load().at_stage(options.stage)
    mask = None if options.visible is None else _mask(options.visible, trained)
    with naming({"rows": "--rows"}):
        chosen = None if options.rows is None else rows_in(trained, options.rows)
    most = options.num_images if chosen is None else None
    rows = rows_of(trained, ask(trained, rows=chosen, num_images=most, seed=options.seed))
    folder = Path(options.output)
    files.check_folder(folder)
    with Progress("searching", len(rows), shown=not options.quiet) as bar:
        if mask is None:
            table, scores, drawn = _gaps(options, trained, rows, search, bar.advance)
        else:
            table, scores, drawn = _completion(options, trained, rows, search, mask, bar.advance)
    from vaelab.cli.evaluate import show

    show(scores, f"{len(rows):,} {'held-out ' * (chosen is None)}image{'s' * (len(rows) != 1)}")
    table.insert(0, "row", rows)
    files.write(folder / "posteriors.csv", table.to_csv(index=False), "--output")
    files.write(folder / "scores.csv", scores_table(scores).to_csv(index=False), "--output")
    images = {name: trained.intensity.invert(each) for name, each in drawn.items()}
    with files.replacing(folder / "drawn.npz") as part, part.open("wb") as file:
        np.savez_compressed(file, rows=rows, channels=np.array(trained.channels), **images)  # pyright: ignore
    if not options.quiet:
        print(", ".join(str(folder / name) for name in ("posteriors.csv", "scores.csv", "drawn.npz")))
    return 0


def help_on(_: Options | None) -> str:
    """Every setting of the search."""
    from vaelab.inference import Search
    from vaelab.settings.help import settings_help

    return f"\nthe search: every setting, with its value\n\n{settings_help(Search())}"


def _gaps(
    options: Options, trained: Run, rows: np.ndarray, search: Search, on_step: Steps
) -> tuple[pd.DataFrame, tuple[Score, ...], dict[str, np.ndarray]]:
    """A row of each image's posterior with its ELBOs, the gaps, and the images with what is drawn of them."""
    import torch

    from vaelab.evaluation import measure_gaps
    from vaelab.inference import decode_mean, reconstruct

    model, x = trained.given(rows), trained.feed(rows).clone()
    measured, inferred = measure_gaps(
        model,
        x,
        search,
        num_samples=options.num_draws,
        reference=options.reference,
        num_reference=500 if options.reference == "annealing" else 20 * options.num_draws,
        seed=options.seed,
        on_step=on_step,
    )
    arrays = {name: measured.arrays[name] for name in ("elbos", "inferred_elbos", "log_evidences")}
    table = inferred.embedding.table().assign(num_steps=inferred.num_steps, **arrays)
    own = decode_mean(model, torch.from_numpy(inferred.loc).to(x.device))
    drawn = {"images": x.numpy(force=True), "inferred": own, "encoder": reconstruct(model, x)}
    return table, measured.scores, drawn


def _completion(
    options: Options, trained: Run, rows: np.ndarray, search: Search, mask: np.ndarray, on_step: Steps
) -> tuple[pd.DataFrame, tuple[Score, ...], dict[str, np.ndarray]]:
    """A row of each image's posterior with the errors of its hidden pixels, their means, and what is drawn."""
    from vaelab.inference import complete
    from vaelab.metrics import mean_score

    with naming({"visible": "--visible"}):
        done = complete(
            trained.given(rows),
            trained.feed(rows).clone(),
            mask,
            search,
            training_images=trained.feed.batches("train"),
            num_draws=_DRAWS,
            seed=options.seed,
            on_step=on_step,
        )
    errors = done.errors()
    means = (mean_score(values, "intensity^2", part=way) for way, values in errors.items())
    scores = tuple(replace(score, metric="hidden_mse", better="lower") for score in means)
    columns = {f"hidden_mse/{way}": values for way, values in errors.items()}
    table = done.inferred.embedding.table().assign(num_steps=done.inferred.num_steps, **columns)
    return table, scores, {"images": done.images, **done.ways, "draws": done.draws}


def _mask(visible: str, trained: Run) -> np.ndarray:
    """Where pixels are known: a half of the image, or where a picture is white."""
    from vaelab.data.limits import Unreadable
    from vaelab.data.pixels import PixelReader
    from vaelab.inference.complete import SIDES, half

    shape = trained.model.image_shape
    if visible in SIDES:
        return half(visible, shape)
    should = f"be {', '.join(SIDES)} or a picture of {shape[1]}x{shape[2]} pixels"
    try:
        pixels, _ = PixelReader(alpha="drop")(visible)
    except (OSError, Unreadable) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError("--visible", should, f"{visible!r} ({reason})") from None
    if pixels.shape[1:] != shape[1:]:
        raise InputError("--visible", should, f"one of {pixels.shape[1]}x{pixels.shape[2]}")
    return (pixels > pixels.max() / 2).all(0)
