"""`vaelab clusters`: how many clusters the codes of a run ask for, and how far they are the kinds of a column."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vaelab.errors import InputError, unknown_name

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from vaelab.evaluation import Score
    from vaelab.runs import Run

_EXAMPLES = """\
examples:
  vaelab clusters runs/digits-1
  vaelab clusters runs/digits-1 --components 2-40 --plot criteria.png
  vaelab clusters runs/digits-1 --components 10 --label label

Mixtures of diagonal Gaussians are fitted to the posterior means of training images, in those latents whose means vary
by more than 0.01. Of the numbers of components, the one with the lowest BIC is named; it is what to try first as
--model.prior.num_components of a run with --model.prior mixture. With --label, the clusters of held-out images are
compared with the kinds in that column: those of the mixture with the lowest BIC and, where the run's prior is a
mixture, those of the prior."""

_MOST_KINDS = 1000


def add(commands) -> None:
    """Declares the command."""
    parser = commands.add_parser("clusters", help="how many clusters the codes ask for", epilog=_EXAMPLES)
    parser.add_argument("run", metavar="RUN", help="the run folder")
    parser.add_argument("--components", metavar="A-B", default="2-20", help="numbers of components, or one [2-20]")
    parser.add_argument("--label", metavar="COLUMN", help="a column of kinds, to compare the clusters with")
    parser.add_argument(
        "--num-images", metavar="N", default="10000", help="a random draw of so many training images [10000]"
    )
    parser.add_argument("--plot", metavar="FILE.png", help="draw BIC and AIC")
    parser.add_argument("--seed", metavar="SEED", default="0", help="of the draw and the fits [0]")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def run(args) -> int:
    """Does it."""
    from vaelab.settings.text import parse_value

    components = _components(args.components)
    num_images = parse_value(int, args.num_images, "--num-images")
    seed = parse_value(int, args.seed, "--seed")
    for flag, value, least in (("--num-images", num_images, 1), ("--seed", seed, 0)):
        if not least <= value < 2**32:
            raise InputError(flag, f"be at least {least}", value)
    if args.plot is not None and not args.plot.endswith(".png"):
        raise InputError("--plot", "end in .png", repr(args.plot))
    if args.plot is not None and len(components) == 1:
        raise InputError("--components", "be a range such as 2-20 where --plot is given", args.components)

    from vaelab.evaluation.clustering import compare_components
    from vaelab.runs import load
    from vaelab.screen import Progress

    trained = load(args.run)
    kinds = None if args.label is None else _kinds(trained, args.label)
    codes, active = _training_codes(trained, num_images, seed)
    if len(codes) < components[-1]:
        raise InputError("--components", f"be at most the number of training images, {len(codes):,}", args.components)
    with Progress("fitting", len(components), shown=not args.quiet, unit="mixtures") as bar:
        table = compare_components(codes[:, active], components, seed, bar.advance)
    _print_table(table, f"{len(codes):,} training images, {active.sum()} active of {len(active)} latents")
    if args.plot is not None:
        _plot(table, args.plot)
    if kinds is not None:
        _compare(trained, kinds, codes[:, active], active, int(table.loc[table["chosen"], "components"].item()), seed)
    return 0


def _components(text: str) -> range:
    found = re.fullmatch(r"([0-9]{1,6})(?:-([0-9]{1,6}))?", text)
    low, high = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not 1 <= low <= high:
        raise InputError("--components", "be a range such as 2-20, or a number from 1", repr(text))
    return range(low, high + 1)


def _kinds(trained: Run, column: str) -> pd.Series:
    """The labels of all images, missing ones too."""
    import pandas as pd

    table = trained.dataset.collection.table
    if column not in table:
        raise unknown_name("--label", column, map(str, table.columns))
    kinds = pd.Series(table[column])
    count = kinds.nunique()
    if not 1 <= count <= _MOST_KINDS:
        raise InputError("--label", f"be a column with 1 to {_MOST_KINDS} kinds", f"{column!r} with {count:,}")
    return kinds


def _training_codes(trained: Run, num_images: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Posterior means (image, latent), all of them, and which latents are active."""
    import numpy as np

    from vaelab.evaluation.active_units import ACTIVE_VARIANCE

    rows = trained.splits.train
    if num_images < len(rows):
        rows = np.sort(np.random.default_rng(seed).choice(rows, num_images, replace=False))
    codes = _codes(trained, rows, seed)
    active = codes.var(0) > ACTIVE_VARIANCE
    if not active.any():
        should = f"have a latent whose posterior means vary by more than {ACTIVE_VARIANCE}"
        raise InputError("the run", should, "none", "Its code has collapsed, so it has no clusters.")
    return codes, active


def _codes(trained: Run, rows: np.ndarray, seed: int) -> np.ndarray:
    import torch

    from vaelab.inference import embed

    torch.manual_seed(seed)  # dynamic binarisation draws from it
    return embed(trained.given(rows), trained.feed.batches(rows)).loc


def _compare(
    trained: Run, kinds: pd.Series, codes: np.ndarray, active: np.ndarray, num_components: int, seed: int
) -> None:
    """Prints how far clusters of held-out images are their kinds."""
    import numpy as np
    import torch
    from torch.distributions import MixtureSameFamily

    from vaelab.distributions.mixture import fit_mixture, responsibilities
    from vaelab.evaluation.clustering_accuracy import clustering_accuracy
    from vaelab.models import evaluating

    split = next(name for name in ("test", "validation", "train") if len(getattr(trained.splits, name)))
    rows = getattr(trained.splits, split)
    rows = rows[kinds.iloc[rows].notna().to_numpy()]
    if not len(rows):
        raise InputError("--label", f"have a value for some of the {split} images", f"{kinds.name!r}, missing in all")
    held_out, labels = _codes(trained, rows, seed), kinds.iloc[rows].to_numpy()
    found = {"all in one cluster": np.zeros(len(rows), int)}
    found[f"mixture of {num_components} on the codes"] = fit_mixture(codes, num_components, seed).predict(
        held_out[:, active].astype(np.float64)
    )
    with evaluating(trained.model):
        prior = trained.model.prior
        if isinstance(prior, MixtureSameFamily):
            parts = responsibilities(prior, torch.from_numpy(held_out))
            found[f"the prior's {parts.shape[1]} components"] = parts.argmax(1).numpy()
    scores = {name: clustering_accuracy(labels, clusters) for name, clusters in found.items()}
    _print_scores(scores, f"{len(rows):,} {split} images, {kinds.iloc[rows].nunique()} kinds of {kinds.name!r}")


def _print_table(table: pd.DataFrame, title: str) -> None:
    rows = [
        [
            f"{row['components']}",
            *(f"{row[name]:,.1f}" for name in ("log_likelihood", "bic", "aic")),
            "<" * row["chosen"],
        ]
        for row in table.to_dict("records")
    ]
    _print(title, ["components", "log-likelihood", "BIC", "AIC", ""], rows)
    best, last = table.loc[table["bic"].idxmin(), "components"], table["components"].max()
    if len(table) > 1:
        more = " That is the most that was tried; try more." if best == last else ""
        print(f"Best by BIC: {best} components; by AIC: {table.loc[table['aic'].idxmin(), 'components']}.{more}")


def _print_scores(scores: dict[str, Score], title: str) -> None:
    rows = []
    for name, score in scores.items():
        low, high = score.interval or (score.value, score.value)
        rows.append([name, f"{score.value:.4f}", f"{low:.4f} to {high:.4f}", f"{score.ceiling:.4f}"])
    _print(title, ["clusters", "accuracy", "95 % interval", "at most"], rows)


def _print(title: str, columns: list[str], rows: list[list[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None, header_style="bold")
    for i, name in enumerate(columns):
        table.add_column(name, justify="left" if i == 0 and name == "clusters" else "right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    Console(width=Console(width=999).measure(table).maximum, markup=False).print(table)


def _plot(table: pd.DataFrame, target: str) -> None:
    from pathlib import Path

    from vaelab.plots import png
    from vaelab.plots.criteria import criteria

    try:
        Path(target).write_bytes(png(criteria(table)))
    except OSError as error:
        raise InputError("--plot", "be a file that can be written", error.strerror or str(error)) from None
