"""`vaelab clusters`: how many clusters the codes of a run ask for, and how far they are the kinds of a column."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from vaelab import files, screen
from vaelab.cli._options import Flag, OnStage
from vaelab.errors import InputError, unknown_name
from vaelab.settings.ranges import AtLeast1, PathText, Seed

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from vaelab.metrics import Score
    from vaelab.runs import Run

EXAMPLES = """\
examples:
  vaelab clusters runs/digits-1
  vaelab clusters runs/digits-1 --components 2-40 --plot criteria.png
  vaelab clusters runs/digits-1 --components 10 --label label --equal-weights

Mixtures of Gaussians are fitted to the posterior means of training images, in those latents whose means vary by more
than 0.01: for each number of components the likeliest of 3 fits, to compare with --label of 48. Of the numbers of
components, the one with the lowest BIC is named; it is what to try first as --model.prior.num_components of a run with
--model.prior mixture. With --label, the clusters of held-out images are compared with the kinds in that column: those
of the mixture with the lowest BIC and, where the run's prior is a mixture, those of the prior."""

_MOST_KINDS = 1000


@dataclass(frozen=True, kw_only=True)
class Options(OnStage):
    """How many clusters the codes ask for."""

    components: Annotated[str, Flag(metavar="A-B")] = "2-20"
    """Numbers of components, or one."""
    covariance_type: Literal["diag", "full"] = "full"
    """A component's axes: the latents' own (diag), or any (full)."""
    equal_weights: bool = False
    """Hold the weights of a mixture equal, for clusters that are about equally large."""
    label: Annotated[str | None, Flag(metavar="COLUMN")] = None
    """A column of kinds, to compare the clusters with."""
    num_images: AtLeast1 = 10000
    """A random draw of so many training images."""
    plot: Annotated[PathText | None, Flag(metavar="FILE.png")] = None
    """Draw BIC and AIC."""
    seed: Seed = 0
    """Of the draw and the fits."""


def run(options: Options) -> int:
    """Does it."""
    components = _components(options.components)
    if options.plot is not None and not options.plot.endswith(".png"):
        raise InputError("--plot", "end in .png", repr(options.plot))
    if options.plot is not None and len(components) == 1:
        raise InputError("--components", "be a range such as 2-20 where --plot is given", options.components)

    from vaelab.evaluation.clustering import compare_components

    trained = options.load().at_stage(options.stage)
    kinds = None if options.label is None else _kinds(trained, options.label)
    codes, active = _training_codes(trained, options.num_images, options.seed)
    if len(codes) < components[-1]:
        most = f"be at most the number of training images, {len(codes):,}"
        raise InputError("--components", most, options.components)
    with screen.Progress("fitting", len(components), shown=not options.quiet, unit="mixtures") as bar:
        table = compare_components(
            codes[:, active],
            components,
            options.seed,
            bar.advance,
            covariance_type=options.covariance_type,
            equal_weights=options.equal_weights,
        )
    _print_table(table, f"{len(codes):,} training images, {active.sum()} active of {len(active)} latents")
    if options.plot is not None:
        _plot(table, options.plot)
    if kinds is not None:
        best = int(table.loc[table["chosen"], "components"].item())
        _compare(trained, kinds, codes[:, active], active, best, options)
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

    from vaelab.metrics.active_units import ACTIVE_VARIANCE

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
    trained: Run, kinds: pd.Series, codes: np.ndarray, active: np.ndarray, num_components: int, options: Options
) -> None:
    """Prints how far clusters of held-out images are their kinds."""
    import numpy as np
    import torch
    from torch.distributions import MixtureSameFamily

    from vaelab.distributions.mixture import fit_mixture, responsibilities
    from vaelab.metrics.clustering_accuracy import clustering_accuracy
    from vaelab.models import device_of, evaluating

    split = trained.splits.held_out
    rows = getattr(trained.splits, split)
    rows = rows[kinds.iloc[rows].notna().to_numpy()]
    if not len(rows):
        raise InputError("--label", f"have a value for some of the {split} images", f"{kinds.name!r}, missing in all")
    held_out, labels = _codes(trained, rows, options.seed), kinds.iloc[rows].to_numpy()
    found = {"all in one cluster": np.zeros(len(rows), int)}
    fitted = fit_mixture(
        codes, num_components, options.seed, options.covariance_type, equal_weights=options.equal_weights
    )
    found[f"mixture of {num_components} on the codes"] = fitted.predict(held_out[:, active].astype(np.float64))
    with evaluating(trained.model):
        prior = trained.model.prior
        if isinstance(prior, MixtureSameFamily):
            parts = responsibilities(prior, torch.from_numpy(held_out).to(device_of(trained.model))).cpu()
            found[f"the prior's {parts.shape[1]} components"] = parts.argmax(1).numpy()
    scores = {name: clustering_accuracy(labels, clusters)[0] for name, clusters in found.items()}
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
    screen.table(title, ["components", "log-likelihood", "BIC", "AIC", ""], rows)
    best, last = table.loc[table["bic"].idxmin(), "components"], table["components"].max()
    if len(table) > 1:
        more = " That is the most that was tried; try more." if best == last else ""
        print(f"Best by BIC: {best} components; by AIC: {table.loc[table['aic'].idxmin(), 'components']}.{more}")


def _print_scores(scores: dict[str, Score], title: str) -> None:
    rows = []
    for name, score in scores.items():
        low, high = score.interval or (score.value, score.value)
        rows.append([name, f"{score.value:.4f}", f"{low:.4f} to {high:.4f}", f"{score.ceiling:.4f}"])
    screen.table(title, ["clusters", "accuracy", "95 % interval", "at most"], rows, left=["clusters"])


def _plot(table: pd.DataFrame, target: str) -> None:
    from vaelab.plots import png
    from vaelab.plots.criteria import criteria

    files.write(target, png(criteria(table)), "--plot")
