"""Several models on the same images, on one page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from markupsafe import Markup
from matplotlib.figure import Figure

from vaelab import files
from vaelab.inference import images_at_once, reconstruct, sample
from vaelab.metrics import GROUPS
from vaelab.models import local_randomness
from vaelab.plots import Dot, dot_rows, image_grid, shrink
from vaelab.report.agreement import agreeing
from vaelab.report.answers import answers
from vaelab.report.drifting import drifting
from vaelab.report.html import html, page
from vaelab.report.look import Shade
from vaelab.report.names import kind_of
from vaelab.report.parts.settings import settings
from vaelab.report.pictures import PAGE, Picture, colour, gap_for, scale_for
from vaelab.report.scores import summary_of, words_of
from vaelab.report.side_by_side import side_by_side
from vaelab.report.weights import grids
from vaelab.report.words import MINUS, ceiling_of, interval_of, number, plural, value_of
from vaelab.runs import Run
from vaelab.runs.compare import Comparison
from vaelab.runs.differences import NOT_SHOWN, Difference, Interval, Line
from vaelab.runs.entries import Entry
from vaelab.studies import Study

SIDE, NAMES, MOST_TILES = 60, 210, 16
"""CSS pixels, about, of an image in a row, and of the names on its left; images in a row at most."""
_TITLES = {"nats": "Likelihood and rate", "code": "The code", "factors": "Known numbers", "pixels": "Reconstructions"}
_ALIKE = 0.1
"""Trivial models are shown as one where their scores differ by less than this share of their interval."""


class Block(NamedTuple):
    """One metric on the page."""

    title: str
    unit: str
    better: str
    summary: str
    chart: Figure
    alt: str
    rows: list[list]


class Strip(NamedTuple):
    """A row of images."""

    name: str
    shown: Picture
    alt: str


def write_comparison(path: Path | str, comparison: Comparison, study: Study | None = None) -> None:
    """Writes one HTML file that needs nothing else to be read, and beside it all its numbers as CSV.

    Args:
        path: The HTML file; the table has the same name with ``.csv``.
        comparison: What was compared.
        study: Whose questions are answered, and whose pictures are drawn.

    Raises:
        InputError: The place cannot be written.
    """
    document, table = render(comparison, study), comparison.table().to_csv(index=False)
    files.write(Path(path).with_suffix(".csv"), table, "--output")
    files.write(path, document, "--output")


def render(comparison: Comparison, study: Study | None = None) -> str:
    """The comparison as one HTML document that asks for nothing outside itself."""
    entries, images = comparison.entries, plural(len(comparison.rows), "image")
    groups = {group: list(_blocks(comparison, group)) for group in GROUPS}
    reconstructions, samples = _strips(comparison)
    title = " and ".join(e.name for e in entries) if len(entries) < 4 else plural(len(entries), "model")
    drawn = list(side_by_side(comparison, study.pictures)) if study else []
    questions = study.questions if study else ()
    found = zip(questions, answers(comparison, questions), strict=True)
    asked = [
        (text, ", ".join(filter(None, [words_of(each.metric).title, each.part])), answer)
        for each, (text, answer) in found
    ]
    values = {
        "title": study.name if study else title,
        "command": "study" if study else "compare",
        "answers": asked + [(part.asked, "", part.answer) for part in drawn if part.asked],
        "drawn": drawn,
        "images": images,
        "lede": _lede(comparison),
        "against": comparison.against.name,
        "notes": comparison.notes,
        "glance": _glance(comparison),
        "grids": grids(comparison),
        "models": [_model(entry) for entry in entries],
        "differing": _differing(entries),
        "groups": [(key, _TITLES.get(key, key.capitalize()), blocks) for key, blocks in groups.items() if blocks],
        "agreeing": agreeing(comparison),
        "drifting": drifting(comparison.drifts),
        "reconstructions": reconstructions,
        "samples": samples,
        "refused": [
            [", ".join(words_of(name).title for name in metrics), ", ".join(names) or "all", _sentence(reason)]
            for (reason, names), metrics in comparison.reasons().items()
        ],
    }  # fmt: skip
    return page("comparison.html", values)


def _lede(comparison: Comparison) -> str:
    entries = comparison.entries
    models = [entry for entry in entries if not entry.stage]
    runs = sum(len(entry.runs) for entry in models)
    what = plural(runs, "run") + (f" of {plural(len(models), 'model')}" if runs > len(models) else "")
    if len(models) < len(entries):
        what += f" and {plural(len(entries) - len(models), 'earlier stage')}"
    set_against = f" Differences are from {comparison.against.name}." if len(entries) > 1 else ""
    return (
        f"{what}, measured on the same {plural(len(comparison.rows), 'image')} that none of them was trained on, with "
        f"{plural(comparison.num_samples, 'draw')} of the posterior per image.{set_against}"
    )


def _glance(comparison: Comparison) -> tuple[list, list[list]]:
    """Head and rows: of each entry the few measures that stand above all others."""
    whole = {(line.score.metric, line.entry): line for line in comparison.lines if _is_own(line)}
    metrics = [name for name in dict.fromkeys(name for name, _ in whole) if words_of(name).headline]
    head = ["Model", *((_titled(name, whole), "n") for name in metrics)]
    rows = []
    for entry in comparison.entries:
        found = [whole.get((name, entry.name)) for name in metrics]
        rows.append([_name(entry.name), *((_cell(line) if line else "\N{EN DASH}", "n") for line in found)])
    return head, rows


def _titled(name: str, whole: dict[tuple[str, str], Line]) -> Markup:
    unit = next(line.score.unit for (metric, _), line in whole.items() if metric == name)
    better = words_of(name).better
    arrow = {"higher": " \N{UPWARDS ARROW}", "lower": " \N{DOWNWARDS ARROW}"}.get(better, "")
    return html("{{ title }}{{ arrow }}<small>{{ unit }}</small>", title=words_of(name).title, arrow=arrow, unit=unit)


def _cell(line: Line) -> Markup:
    said = _verdict(line.difference) if line.difference else ""
    return html("<b>{{ value }}</b>{{ said }}", value=_value(line), said=said)


def _model(entry: Entry) -> list:
    run, runs = entry.run, entry.runs
    weights = sum(part.numel() for part in run.model.parameters())
    seeds = ", ".join(str(each.experiment.seed) for each in runs)
    return [
        _name(entry.name), kind_of(run.experiment), (f"{run.model.latent_dim}", "n"), (f"{weights:,}", "n"),
        (f"{len(run.splits.train):,}", "n"), f"{'seeds' if len(runs) > 1 else 'seed'} {seeds}",
    ]  # fmt: skip


def _differing(entries: Sequence[Entry]) -> list[list]:
    """A row for each setting in which the entries differ, a cell for each entry."""
    found = [{path: value for path, value, _ in settings(entry.run.experiment)} for entry in entries]
    paths = dict.fromkeys(path for each in found for path in each)
    rows = []
    for path in paths:
        values = [each.get(path, "\N{EN DASH}") for each in found]
        if path.partition(".")[0] in ("data", "model", "objective", "training") and len({*values}) > 1:
            rows.append([html("{{ path|code }}", path=path), *(html("{{ v|code }}", v=value) for value in values)])
    return rows


# Measures


def _is_own(line: Line) -> bool:
    return not line.score.part and not line.score.model


def _blocks(comparison: Comparison, group: str) -> Iterator[Block]:
    """The metrics of one group."""
    lines = [line for line in comparison.lines if not line.score.part and words_of(line.score.metric).group == group]
    for metric in dict.fromkeys(line.score.metric for line in lines):
        own = [line for line in lines if line.score.metric == metric and not line.score.model]
        trivial = list(_distinct([line for line in lines if line.score.metric == metric and line.score.model]))
        finite = [line for line in own if np.isfinite(line.score.value)]
        words, score = words_of(metric), own[0].score
        better = "" if words.better == "neither" else f"{words.better} is better"
        dots = [_dot(line, line.entry, comparison.against.name) for line in finite]
        dots += [_dot(line, name, "") for name, line in trivial if np.isfinite(line.score.value)]
        said = "; ".join(f"{line.entry} {_value(line)}" for line in own)
        rows = [_row(line) for line in own]
        rows += [
            [(html("{{ name }}", name=name), "quiet"), (value_of(line.score), "n quiet"), "", ""]
            for name, line in trivial
        ]
        null = [f"without any code {number(score.null)}"] if score.null is not None and not trivial else []
        most = [f"at most {ceiling_of(score)}"] if score.ceiling is not None else []
        yield Block(
            title=words.title,
            unit="; ".join(filter(None, [score.unit, better, *null, *most])),
            better=better,
            summary=summary_of(metric),
            chart=dot_rows(dots, label=score.unit) if finite else None,  # pyright: ignore[reportArgumentType]
            alt=f"{words.title}: {said}",
            rows=rows,
        )  # fmt: skip


def _distinct(lines: Sequence[Line]) -> Iterator[tuple[str, Line]]:
    """Trivial models with their names: one where it scores nearly the same beside every entry."""
    for model in dict.fromkeys(line.score.model for line in lines):
        found = [line for line in lines if line.score.model == model]
        values, (low, high) = [line.score.value for line in found], found[0].score.interval or (0.0, 0.0)
        if max(values) - min(values) <= _ALIKE * (high - low):
            yield model, found[0]
        else:
            yield from ((f"{model} for {line.entry}", line) for line in found)


def _dot(line: Line, name: str, against: str) -> Dot:
    finite = [ends if ends and np.isfinite(ends).all() else None for ends in (line.score.interval, line.over_seeds)]
    kind = "trivial" if line.score.model else "first" if line.entry == against else "other"
    return Dot(name, line.score.value, finite[0], finite[1], [v for v in line.seeds if np.isfinite(v)], kind)


def _row(line: Line) -> list:
    """Name, value, difference, and what may be said of it."""
    below = [interval_of(line.score)] if line.score.interval else []
    if line.over_seeds:
        below.append(f"{len(line.seeds)} seeds: {_ends(line.over_seeds)}")
    value = html(
        "<b>{{ v }}</b>{% for each in below %}<small>{{ each }}</small>{% endfor %}", v=_value(line), below=below
    )
    return [_name(line.entry), (value, "n"), (_moved(line.difference), "n"), (_said(line), "said")]


def _moved(difference: Difference | None) -> Markup:
    if difference is None:
        return Markup()
    ends = difference.interval or difference.over_seeds or (0.0, 0.0)
    near = (ends[1] - ends[0]) / 2 or None
    below = [_ends(difference.interval)] if difference.interval else []
    below += [f"seeds: {_ends(difference.over_seeds)}"] if difference.over_seeds else []
    sign = "+" if difference.value > 0 else ""
    return html(
        "{{ v }}{% for each in below %}<small>{{ each }}</small>{% endfor %}",
        v=sign + number(difference.value, near=near), below=below,
    )  # fmt: skip


def _said(line: Line) -> Markup:
    if line.difference is not None:
        return _verdict(line.difference)
    return html("<small>{{ why }}</small>", why=line.why_not)


def _verdict(difference: Difference) -> Markup:
    words = difference.words
    kind = "quiet" if words == NOT_SHOWN else f"verdict {words}" if difference.is_shown else ""
    return html("<span class='{{ kind }}'>{{ words }}</span>", kind=kind, words=words)


def _value(line: Line) -> str:
    spread = line.over_seeds
    if line.score.interval is None and spread and spread[1] > spread[0]:
        return number(line.score.value, near=(spread[1] - spread[0]) / 2)
    return value_of(line.score)


def _ends(ends: Interval) -> str:
    if all(end.is_integer() for end in ends):
        return f"{ends[0]:,.0f} to {ends[1]:,.0f}".replace("-", MINUS)
    near = (ends[1] - ends[0]) / 2 or None
    return f"{number(ends[0], near=near)} to {number(ends[1], near=near)}"


def _name(name: str) -> Markup:
    return html("{{ name|code }}", name=name)


def _sentence(reason: str) -> str:
    return f"{reason[:1].upper()}{reason[1:]}".removesuffix(".") + "."


# Pictures


def _strips(comparison: Comparison) -> tuple[list[Strip], list[Strip]]:
    """The same few held-out images above what each entry makes of them, and beside as many samples of each."""
    first, seed = comparison.against.run, comparison.seed
    tile = scale_for(first.model.image_shape, SIDE) * min(first.model.image_shape[2], int(1.125 * SIDE)) + 2
    count = int(np.clip((PAGE - NAMES) // tile, 4, MOST_TILES))
    rows = np.sort(np.random.default_rng(seed).permutation(comparison.rows)[:count])
    shade = Shade.of(first, _originals(first, rows, seed))
    real = _strip("Held-out images", first, shade, _originals(first, rows, seed), f"{len(rows)} held-out images.")
    reconstructed, sampled = [real], [real]
    for entry in comparison.entries:
        run = entry.run
        model, own = run.given(rows), Shade(run, shade.white)
        drawn = reconstruct(model, torch.from_numpy(_originals(run, rows, seed)), images_at_once(run.model.image_shape))
        new = sample(model, len(rows), seed)
        reconstructed.append(_strip(entry.name, run, own, drawn, f"What {entry.name} makes of them."))
        sampled.append(_strip(entry.name, run, own, new, f"New images by {entry.name}."))
    return reconstructed, sampled


def _originals(run: Run, rows: np.ndarray, seed: int) -> np.ndarray:
    with local_randomness(seed, torch.device("cpu")):
        return run.feed(rows).clone().numpy()


def _strip(name: str, run: Run, shade: Shade, images: np.ndarray, alt: str) -> Strip:
    shrunk, _ = shrink(images, int(1.125 * SIDE))
    scale = int(scale_for(shrunk.shape, SIDE))
    return Strip(name, Picture(image_grid(colour(shade, shrunk), len(images), gap=gap_for(scale)), scale), alt)
