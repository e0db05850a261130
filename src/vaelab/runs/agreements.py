"""Whether the codes of a comparison's runs agree: those of an experiment's seeds, and those of two experiments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice, product

import numpy as np

from vaelab.evaluation import Measured
from vaelab.evaluation.alignment import Agreement, agreement, correlations, match_latents
from vaelab.runs.entries import Entry

MOST_PAIRS = 10
"""Of runs, for one line."""
Number = Callable[[Agreement], float]
MEASURES: dict[str, tuple[str, str, Number]] = {
    "agreement_unexplained": ("Left by Procrustes", "share of variance", lambda found: found.unexplained),
    "agreement_neighbours": ("Neighbours shared", "share of 10 nearest", lambda found: found.neighbours),
    "agreement_r2": ("Linear R\N{SUPERSCRIPT TWO}", "share of variance", lambda found: found.r2[0]),
    "agreement_r2_back": ("Linear R\N{SUPERSCRIPT TWO}, back", "share of variance", lambda found: found.r2[1]),
    "agreement_matched": ("Matched latents", "|correlation|", lambda found: found.matched),
}
"""Name -> title, unit, and how it is read from an agreement."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Pairing:
    """How far codes of one entry agree with those of another, or its seeds with each other."""

    entry: str
    """Its name."""
    other: str
    """The other's; the same name: seeds of one experiment."""
    pairs: tuple[Agreement, ...]
    """Of a run with a run; one or more."""

    @property
    def among_seeds(self) -> bool:
        """Whether it is of seeds of one experiment."""
        return self.entry == self.other

    @property
    def reason(self) -> str:
        """Why numbers are missing; empty: none is."""
        return next((found.reason for found in self.pairs if found.reason), "")

    def values(self, measure: str) -> np.ndarray:
        """(pair,): what each pair of runs has of a measure."""
        return np.array([MEASURES[measure][2](found) for found in self.pairs])


@dataclass(frozen=True, eq=False, kw_only=True)
class SharedLatents:
    """The latents of an entry's first seed, with those of its other seeds that go with them."""

    entry: str
    """Its name."""
    correlations: np.ndarray
    """(other seed, latent): |correlation| with its partner."""
    rates: np.ndarray | None
    """(seed, latent): mean rate in nats, each seed's in the order of the first's; None where they are not known."""
    entanglement: np.ndarray
    """(latent, latent): the correlation matrix of the codes, each seed's in the order and with the signs of the first,
    averaged over seeds: what latents have in common in every training."""


def pairings(entries: Sequence[Entry], first: Entry, measured: dict[str, list[Measured]], seed: int) -> list[Pairing]:
    """Of each entry's seeds among each other, and of each entry with the one that all are set against.

    Args:
        entries: In their order.
        first: The one that all are set against.
        measured: By entry, what was measured of each seed on the same images.
        seed: Of the draw of images.
    """
    found = list[Pairing]()
    for entry in entries:
        own = [each.codes for each in measured[entry.name]]
        pairs: list[tuple[Entry, Iterable[tuple[np.ndarray, np.ndarray]]]] = [(entry, combinations(own, 2))]
        if entry is not first:
            pairs.append((first, product(own, [each.codes for each in measured[first.name]])))
        for other, some in pairs:
            agree = tuple(agreement(one, two, seed) for one, two in islice(some, MOST_PAIRS))
            found += [Pairing(entry=entry.name, other=other.name, pairs=agree)] if agree else []
    return found


def shared_latents(entries: Sequence[Entry], measured: dict[str, list[Measured]]) -> Iterator[SharedLatents]:
    """Of each entry with several seeds: its latents matched, and only then averaged."""
    for entry in entries:
        seeds = measured[entry.name]
        codes = [each.codes.astype(np.float64) for each in seeds]
        if len(seeds) < 2 or len(codes[0]) < 3 or not all(np.isfinite(z).all() for z in codes):
            continue
        matched = [match_latents(codes[0], other) for other in codes[1:]]
        aligned = [codes[0], *(m.align(z) for m, z in zip(matched, codes[1:], strict=True))]
        orders = [np.arange(codes[0].shape[1]), *(m.latents for m in matched)]
        rates = [each.latent_rates for each in seeds]
        yield SharedLatents(
            entry=entry.name,
            correlations=np.abs([m.correlations for m in matched]),
            rates=None
            if any(r is None for r in rates)
            else np.stack([r[o] for r, o in zip(rates, orders, strict=True)]),  # pyright: ignore[reportOptionalSubscript]
            entanglement=np.mean([correlations(z, z) for z in aligned], axis=0),
        )


def agreement_rows(found: Sequence[Pairing]) -> list[dict[str, object]]:
    """The lines of a comparison's table that say it."""
    rows = []
    for pairing in found:
        count, part = pairing.pairs[0].count, "among seeds" if pairing.among_seeds else f"with {pairing.other}"
        for name, (_, unit, _) in MEASURES.items():
            values = pairing.values(name)
            row = {"entry": pairing.entry, "metric": name, "part": part, "value": values.mean(), "unit": unit}
            row |= {"better": "neither", "count": count, "words": pairing.reason or _spread(values)}
            rows.append(row | ({"null": pairing.pairs[0].chance} if name == "agreement_neighbours" else {}))
    return rows


def _spread(values: np.ndarray) -> str:
    return f"{len(values)} pairs of runs, {values.min():.3g} to {values.max():.3g}" if len(values) > 1 else ""
