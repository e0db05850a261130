"""A page on what each latent means: what it moves, where in the image, what goes with it, and in how many trainings."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd

from vaelab import files
from vaelab.errors import InputError
from vaelab.explanation import Followed, Repeated, Where, follows, meaning, over_seeds, where
from vaelab.explanation.follows import numbers_of
from vaelab.explanation.meaning import FEWEST, in_words
from vaelab.explanation.measured_features import measured_features
from vaelab.inference import embed
from vaelab.inference.moved import moved_to
from vaelab.plots import Row, Tile, sheet, shrink
from vaelab.report.html import page
from vaelab.report.look import Look
from vaelab.report.parts import Arrays
from vaelab.report.parts.latent_meaning import decoder, figure_of, how, meaning_arrays, note_of
from vaelab.report.pictures import Picture, tile
from vaelab.report.words import MINUS, number, plural
from vaelab.runs import Run
from vaelab.runs.entries import common_rows, siblings
from vaelab.runs.question import checkpoint_of

NUM_AXES, NUM_STEPS, NUM_REAL, SIDE, MOST_ROWS = 3, 9, 2, 64, 6
"""Principal axes of the codes, steps of each series, real images that are moved, pixels, about, of an image, and
correlations."""
NUM_REPEATED, MOST_SEEDS = 200, 4
"""Images, and other trainings, by which it is said whether a meaning comes again."""


@dataclass(frozen=True, eq=False, kw_only=True)
class LatentsExplained:
    """What each latent means, and where that is kept."""

    path: Path
    """The page."""
    arrays: Arrays
    """As of the part latent-meaning, with principal axes of the codes."""
    where: Where
    """Pixel by pixel."""
    followed: Followed
    """What goes with it over the real images."""
    repeated: Repeated | None
    """Over the seeds; None where the run has no other."""
    seeds: tuple[int, ...]
    """Of the trainings, this one's first."""

    def says(self, i: int) -> str:
        """What a direction moves, in words."""
        return in_words(self.arrays["features"].tolist(), self.arrays["changes"][i], self.arrays["shown"][i])

    def goes_with(self, i: int) -> str:
        """What goes with it, in words."""
        return _with(self.followed, i)

    def in_seeds(self, i: int) -> str:
        """In how many trainings each change that is shown comes again; empty where there is one training."""
        found = self.repeated
        if found is None or i >= len(self.arrays["latents"]):
            return ""
        place, total = int(self.arrays["latents"][i]), len(self.seeds)
        named: dict[str, list[str]] = {}
        for j in np.flatnonzero(found.shown[0, place]):
            alone = found.alone[place, j]
            words = "this training alone" if alone else f"in {found.seeds[place, j]} of {total} trainings"
            named.setdefault(words, []).append(found.features[j])
        said = "; ".join(f"{words}: {', '.join(names)}" for words, names in named.items())
        partner = f"|correlation| with its partners {number(float(found.correlations[1:, place].mean()), digits=2)}"
        return f"{said or 'no change is shown in this training'} ({partner})"


class Section(NamedTuple):
    """One direction on the page."""

    name: str
    note: str
    says: str
    goes_with: str
    in_seeds: str
    series: Picture
    series_alt: str
    maps: Picture
    maps_words: str
    rows: list[list]


def explain_latents(
    run: Run,
    *,
    num_images: int | None = None,
    label: str | None = None,
    stage: str | None = None,
    seed: int = 0,
    progress: bool = False,
) -> LatentsExplained:
    """Says what each latent means, what each class does, and what the principal axes of the codes do, on one page.

    RUN/explanations/latents (of an earlier stage latents-STAGE) holds page.html, meaning.csv and meaning.npz.

    Args:
        run: The run. Runs beside it of the same experiment with other seeds are looked at, too.
        num_images: As in `write_report`; likewise label, seed and progress.
        label: The column of classes.
        stage: Of a model of several stages the one whose latents are meant; left out, the last.
        seed: Of every draw.
        progress: Show a progress bar.

    Raises:
        InputError: Fewer than 8 images are held out, there is no such column, or the folder cannot be written.
    """
    look = Look(run.at_stage(stage), num_images=num_images, label=label, seed=seed, progress=progress)
    if len(look.rows) < FEWEST:
        raise InputError("the held-out images", f"be at least {FEWEST} to move latents of", len(look.rows))
    folder = run.folder / "explanations" / "-".join(filter(None, ["latents", run.earlier_stage(stage)]))
    files.check_folder(folder)
    arrays = meaning_arrays(look, NUM_AXES)
    moved = np.searchsorted(look.rows, arrays["rows"])
    places = look.embedding.loc @ arrays["vectors"].T
    known = pd.concat([numbers_of(look.table), measured_features(look.x.numpy(), look.channels)], axis=1)
    seeds, repeated = _repeated(look, stage)
    found = LatentsExplained(
        path=folder / "page.html",
        arrays=arrays,
        where=where(decoder(look), look.embedding.loc[moved], moved, arrays["vectors"], arrays["ends"], seed),
        followed=follows(places, known.loc[:, ~known.columns.duplicated()], arrays["directions"].tolist()),
        repeated=repeated,
        seeds=seeds,
    )
    _write(found, look)
    return found


def _repeated(look: Look, stage: str | None) -> tuple[tuple[int, ...], Repeated | None]:
    """The seeds, and what latents mean in each training, on images that all hold out."""
    runs = [look.run, *(other.at_stage(stage) for other in siblings(look.run)[:MOST_SEEDS])]
    seeds = tuple(run.experiment.seed for run in runs)
    if len(runs) == 1:
        return seeds, None
    try:
        common = np.intersect1d(common_rows(runs), look.rows)
    except InputError:
        common = np.arange(0)
    if len(common) < FEWEST:
        return seeds[:1], None
    rows = np.sort(np.random.default_rng(look.seed).permutation(common)[:NUM_REPEATED])
    count = int(np.clip(look.affords(2 * 32 * look.latent_dim * len(runs), 0.5) // (2 * look.latent_dim), FEWEST, 32))
    means = [meaning(run, rows, num_images=count, seed=look.seed) for run in runs]
    return seeds, over_seeds(means, [embed(run, rows).loc.astype(np.float64) for run in runs])


def _with(found: Followed, i: int) -> str:
    places = found.strongest(i)
    words = (f"{found.names[j]} {_signed(found.correlations[i, j])}" for j in places)
    return ", ".join(words) or "nothing that is known"


def _write(found: LatentsExplained, look: Look) -> None:
    """Page, table and arrays."""
    arrays, folder = found.arrays, found.path.parent
    rows = [
        {"direction": name, "feature": feature, "change": arrays["changes"][i, j], "low": arrays["low"][i, j],
         "high": arrays["high"][i, j], "is_shown": arrays["shown"][i, j], **_seeds_of(found, i, j)}
        for i, name in enumerate(arrays["directions"].tolist())
        for j, feature in enumerate(arrays["features"].tolist())
    ]  # fmt: skip
    files.write(folder / "meaning.csv", pd.DataFrame(rows).to_csv(index=False))
    more = {"pixel_changes": found.where.changes, "pixel_margins": found.where.margins}
    more |= {"known": np.array(found.followed.names), "correlations": found.followed.correlations}
    more |= {"correlations_low": found.followed.low, "correlations_high": found.followed.high}
    every = range(len(arrays["directions"]))
    words = {name: [getattr(found, name)(i) for i in every] for name in ("says", "goes_with", "in_seeds")}
    more |= {name: np.array(each, np.str_) for name, each in words.items()}
    more |= {"checkpoint": np.array(checkpoint_of(look.run))}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays, **more)
    files.write(folder / "meaning.npz", buffer.getvalue())
    values = {
        "folder": look.run.called,
        "lede": _lede(found, look),
        "how": " ".join(how(look, arrays)),
        "figure": figure_of(look, arrays),
        "sections": list(_sections(found, look)),
    }
    files.write(found.path, page("latents.html", values))


def _seeds_of(found: LatentsExplained, i: int, j: int) -> dict[str, object]:
    """In how many trainings a change comes again; nothing of what is no latent, or of one training."""
    if found.repeated is None or i >= len(found.arrays["latents"]):
        return {}
    place = int(found.arrays["latents"][i])
    return {
        "seeds_that_show_it": found.repeated.seeds[place, j],
        "seeds": len(found.seeds),
        "this_seed_alone": found.repeated.alone[place, j],
    }


def _lede(found: LatentsExplained, look: Look) -> str:
    moved, held_out = len(found.arrays["rows"]), len(look.rows)
    start = f"{plural(moved, 'image')} of {held_out:,} held out, moved along each latent from end to end"
    if found.repeated is None:
        return f"{start}. There is one training alone: whether a meaning comes again with another seed is not known."
    others = ", ".join(map(str, found.seeds[1:]))
    return f"{start}; beside it the same of the trainings with other seeds ({others})."


def _sections(found: LatentsExplained, look: Look) -> Iterator[Section]:
    for i, name in enumerate(found.arrays["directions"].tolist()):
        maps, words = _maps(found, look, i)
        series = _series(found.arrays, look, i)
        yield Section(
            name=name,
            note=note_of(look, found.arrays, i),
            says=found.says(i),
            goes_with=found.goes_with(i),
            in_seeds=found.in_seeds(i),
            series=Picture(sheet(series, gap=3), 1),
            series_alt=f"Images drawn along {name}, in even steps from its lower to its upper end.",
            maps=Picture(sheet([("", maps)], gap=12), 1),
            maps_words=words,
            rows=_table(found.followed, i),
        )


def _series(arrays: Arrays, look: Look, i: int) -> list[Row]:
    """The mean code, then real images, drawn along a direction."""
    vector, (start, end) = arrays["vectors"][i], arrays["ends"][i]
    steps = np.linspace(start, end, NUM_STEPS)
    middle = look.embedding.loc.mean(0, keepdims=True, dtype=np.float64)
    drawn = look.decode(look.fixed, np.concatenate([moved_to(middle, vector, place) for place in steps]))
    words = [f"{place:+.1f}".replace("-", MINUS) for place in steps]
    rows: list[Row] = [("mean code", [tile(look, x, said, side=SIDE) for x, said in zip(drawn, words, strict=True)])]
    for row in arrays["rows"][:NUM_REAL]:
        place = np.searchsorted(look.rows, [row])
        codes = np.concatenate([moved_to(look.embedding.loc[place], vector, step) for step in steps])
        drawn = decoder(look)(codes, np.repeat(place, NUM_STEPS))
        rows.append((f"#{row}", [tile(look, x, side=SIDE) for x in drawn]))
    return rows


def _maps(found: LatentsExplained, look: Look, i: int) -> tuple[list[Tile], str]:
    """Each channel: where it changes, red up and blue down; and that in words."""
    changes, shown = found.where.changes[i], found.where.shown[i]
    top = max(float(np.abs(changes[shown]).max(initial=0)), 1e-12)
    tiles, said = [], []
    for channel, values, there in zip(look.channels, changes, shown, strict=True):
        tiles.append(Tile(heat(np.where(there, values, 0.0) / top, SIDE), channel))
        said.append(f"{channel} {there.sum():,} of {there.size:,}")
    if not shown.any():
        return tiles, "No pixel is shown to change."
    return tiles, f"Pixels that are shown to change: {', '.join(said)}. The strongest colour is a change of {top:.2f}."


def heat(values: np.ndarray, side: int) -> np.ndarray:
    """(height, width, 3) uint8: -1 is blue, 0 white and 1 red, enlarged or averaged to about so many pixels."""
    shrunk = shrink(values[None, None], int(1.125 * side))[0][0, 0]
    pixels = (255 * mpl.colormaps["RdBu_r"]((1 + shrunk.clip(-1, 1)) / 2)[..., :3]).round().astype(np.uint8)
    scale = max(1, round(side / max(shrunk.shape)))
    return pixels.repeat(scale, 0).repeat(scale, 1)


def _table(found: Followed, i: int) -> list[list]:
    """The strongest correlations, with their intervals."""
    values = found.correlations[i]
    there = np.flatnonzero(np.isfinite(values))
    order: Sequence[int] = there[np.argsort(-np.abs(values[there]), kind="stable")][:MOST_ROWS].tolist()
    ends = [f"{_signed(found.low[i, j])} to {_signed(found.high[i, j])}" for j in order]
    return [
        [found.names[j], (_signed(values[j]), "n value"), (said, "range")] for j, said in zip(order, ends, strict=True)
    ]


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", MINUS)
