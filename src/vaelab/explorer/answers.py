"""What the page asks of one run, each question answered from its view. The endpoints stand in `vaelab.explorer.app`."""

from __future__ import annotations

from dataclasses import asdict
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from vaelab.explorer.columns import Column, Columns
from vaelab.explorer.conditions import conditions_of
from vaelab.explorer.density import NUM_NEIGHBOURS, Neighbours
from vaelab.explorer.explained import Explanations
from vaelab.explorer.maps import Maps
from vaelab.explorer.raw import numbers
from vaelab.explorer.selections import Selections
from vaelab.explorer.thumbnails import Thumbnails, small
from vaelab.explorer.view import Under, View, open_view
from vaelab.pictures import channel_colours

NUM_QUANTILES = 1001
_SAMPLED_IMAGES, _SAMPLED_PIXELS = 256, 1 << 20
_MOST_FOUND = 20
FEW = 8
"""Latents whose sliders are shown at first, of those that are used."""
USED_NATS, USED_VARIANCE = 0.01, 1e-4
"""Rate, or where that is not known variance of the means, from which on a latent counts as used."""


class Answers:
    """Everything that can be asked of a view.

    Args:
        view: Whose.
        beside: The same of another stage of the model.
    """

    def __init__(self, view: View, beside: Answers | None = None):
        self.view, self.maps, self.columns = view, Maps(view), Columns(view)
        self.neighbours, self.thumbnails = Neighbours(view.codes.loc), Thumbnails(view)
        self.selections = Selections(view, self.columns, beside and beside.selections)
        self.explanations = Explanations(view)

    def at_stage(self, stage: str) -> Answers:
        """What can be asked of the same images by another stage of the model."""
        return Answers(open_view(self.view.run, self.view.asked, stage), self)

    def about(self) -> dict[str, Any]:
        """What the page must know before it draws: names, counts, shapes, scalings; nothing for each image."""
        view, run = self.view, self.view.run
        facts, pca = run.facts, self.maps.pca
        return {
            "name": run.experiment.name,
            "called": run.called,
            "folder": run.called.replace(", ", "-").replace(" ", "-"),
            "on": view.on,
            "num_images": len(view),
            "notes": list(view.notes),
            "path": str(run.folder),
            "own": view.question is not None,
            "images": view.images is not None,
            "image_shape": list(facts.image_shape),
            "type": facts.dtype,
            "channels": [
                {"name": name, "lo": lo, "hi": hi, "colour": np.rint(colour * 255).astype(int).tolist()}
                for name, lo, hi, colour in zip(
                    facts.channels, facts.intensity.lo, facts.intensity.hi, channel_colours(facts.channels), strict=True
                )
            ],
            "square_root": facts.intensity.square_root,
            "photograph": facts.intensity.distorts(facts.channels, facts.dtype),
            "latents": self._latents(),
            "few": FEW,
            "columns": self.column_heads(),
            "on_demand": self.columns.on_demand(),
            "label": view.label,
            "maps": {"curved": self.maps.curved()},
            "pca": {
                "directions": pca.directions.tolist(),
                "centre": pca.centre.tolist(),
                "shares": numbers(pca.shares),
            },
            "conditions": conditions_of(view),
            "stage": view.stage,
            "stages": list(run.stages),
        }

    def column_heads(self) -> list[dict[str, Any]]:
        """Names, kinds and categories of the columns that are there."""
        return [_head(name, column) for name, column in self.columns.known().items()]

    def _latents(self) -> list[dict[str, Any]]:
        """In the order of what they say: rate, and the range of the aggregate posterior that holds 99 % of it."""
        view = self.view
        low, high, means, variances = self._ranges
        rates, meant = view.latent_rates, self.explanations.meanings()
        worth, least = (variances, USED_VARIANCE) if rates is None else (rates, USED_NATS)
        return [
            {
                "latent": i,
                "rate": None if rates is None else numbers(rates[[i]])[0],
                "low": float(low[i]),
                "high": float(high[i]),
                "mean": float(means[i]),
                "used": bool(worth[i] >= least),
                "meant": asdict(meant[i]) if i in meant else None,
            }
            for i in view.latents_in_order().tolist()
        ]

    @cached_property
    def _ranges(self) -> tuple[np.ndarray, ...]:
        """(latent,) each: the ends of the middle 99 % of the aggregate posterior, means and variances of the codes."""
        codes = self.view.codes
        ends = (codes.aggregate_quantile(p) for p in (0.005, 0.995))
        return *ends, codes.loc.mean(0, dtype=np.float64), codes.loc.var(0, dtype=np.float64)

    def prepare(self) -> None:
        """Computes what the page asks for first and what takes a while; nothing that another thread may not ask for."""
        self.about()
        if self.view.images is not None:
            _ = self.quantiles
        _ = self.neighbours.typical

    def record(self, place: int) -> dict[str, Any]:
        """What is known of one image: its name, its row, and every column in words."""
        view = self.view
        row = view.table.iloc[place] if len(view.table.columns) else {}
        said = {name: in_words(value) for name, value in row.items()}
        measured = {
            name: in_words(column.values[place]) for name, column in self.columns.known().items() if name not in said
        }
        return {
            "name": view.names([place])[0],
            "row": int(view.rows[place]),
            "columns": list(said.items()),
            "measured": list(measured.items()),
        }

    def find(self, text: str) -> list[dict[str, Any]]:
        """The images whose name is this text, ends in it, or holds it, in that order; at most 20.

        What has no such name is looked for in the columns of text, then by row.
        """
        wanted, found = text.strip().lower(), []
        for names in (self.view.names(), *self._texts) if wanted else ():
            ranks = [(rank, place) for place, name in enumerate(names) if (rank := _rank(name.lower(), wanted)) < 3]
            found = found or [place for _, place in sorted(ranks)[:_MOST_FOUND]]
        if not found and wanted.removeprefix("#").isdecimal() and len(wanted) < 12:
            found = np.flatnonzero(self.view.rows == int(wanted.removeprefix("#"))).tolist()
        return self._named(found)

    def _named(self, places: list[int]) -> list[dict[str, Any]]:
        rows = self.view.rows[places].tolist()
        return [
            {"at": place, "row": row, "name": name}
            for place, row, name in zip(places, rows, self.view.names(places), strict=True)
        ]

    def near(self, z: np.ndarray, count: int) -> dict[str, Any]:
        """The nearest images in latent space, and how dense the data are there."""
        places, distances = self.neighbours.nearest(z, max(count, NUM_NEIGHBOURS + 1))
        found, nearest = self.neighbours.sparsity(distances), self._named(places[:count].tolist())
        return {
            "nearest": [
                {**named, "distance": distance}
                for named, distance in zip(nearest, distances[:count].tolist(), strict=True)
            ],
            "distance": found.distance,
            "share": found.share,
            "ratio": found.ratio,
            "num_images": found.num_images,
        }

    def decoded(self, z: np.ndarray, like: int | None, under: Under, side: int | None) -> np.ndarray:
        """(code, channel, height, width): see `View.decoded`; in small where a side is given."""
        drawn = self.view.decoded(z, like, under)
        return drawn if side is None else small(drawn, side)

    @cached_property
    def _texts(self) -> list[list[str]]:
        """The columns of words that are not repeated, in which images can be found."""
        known, table = self.columns.known(), self.view.table
        return [table[name].astype(str).tolist() for name in table if known[name].kind == "text"]

    @cached_property
    def quantiles(self) -> np.ndarray:
        """(channel, 1001) float32: the stored values at 0 %, 0.1 %, ... 100 % of the pixels of some of the images."""
        count = min(len(self.view), _SAMPLED_IMAGES)
        places = np.unique(np.linspace(0, len(self.view) - 1, count).astype(np.int64))
        pixels = np.moveaxis(self.view.stored(places.tolist()), 1, 0).reshape(self.view.run.facts.image_shape[0], -1)
        step = max(1, pixels.shape[1] // _SAMPLED_PIXELS)
        return np.quantile(pixels[:, ::step], np.linspace(0, 1, NUM_QUANTILES), axis=1).T.astype(np.float32)


def _head(name: str, column: Column) -> dict[str, Any]:
    return {"name": name, "kind": column.kind, "names": list(column.names)}


def _rank(name: str, wanted: str) -> int:
    if name == wanted:
        return 0
    return 1 if name.endswith(wanted) else 2 if wanted in name else 3


def in_words(value: object) -> str:
    """A value of a table as it is shown; nothing where there is none."""
    if pd.isna(value):  # pyright: ignore[reportArgumentType, reportCallIssue, reportGeneralTypeIssues]
        return ""
    return f"{float(value):.6g}" if isinstance(value, float | np.floating) else str(value)[:500]
