"""`vaelab evaluate`: every measure of a run on held-out images, with intervals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from vaelab import screen
from vaelab.catalogue import names
from vaelab.cli._options import Flag, OnStage, naming
from vaelab.errors import InputError
from vaelab.settings.ranges import AtLeast1, Seed

if TYPE_CHECKING:
    from vaelab.metrics import Score

EXAMPLES = f"""\
examples:
  vaelab evaluate runs/mnist-1
  vaelab evaluate runs/mnist-1 --num-samples 5000 --num-images 1000     a tight bound on log p(x)
  vaelab evaluate runs/mnist-1 --split validation --metrics mse ssim
  vaelab evaluate runs/cells-1 --factors x y --labels process     what the codes say of what is known
  vaelab evaluate runs/mnist-1 --metrics frechet_distance sample_coverage --labels label     trains a classifier first

Terms are in nats per image; brackets hold 95 % confidence intervals. A mean image and as many principal components as
there are latents are measured likewise. Beside what is known of the images (columns of the run's table, by --labels,
--factors, --groups, --batches) stand the codes of an untrained model, of PCA, of features made by hand (intensity,
area, second moments), and the factors themselves. All of it is kept in RUN/results, in a folder of its own for each
question (stage, images, draws, seed, weights, columns), and read from there when the same is asked again.

metrics: {", ".join(names("vaelab.metrics"))}"""

_MOST_PARTS = 8


@dataclass(frozen=True, kw_only=True)
class Options(OnStage):
    """Measure a run on held-out images."""

    metrics: Annotated[tuple[str, ...], Flag(metavar="NAME")] = ()
    """Which metrics; left out: all that can be computed, but for those that need a classifier."""
    split: Literal["train", "validation", "test"] | None = None
    """Which images; left out: test, if the run has such."""
    num_samples: AtLeast1 = 100
    """Draws per image for ELBO and log p(x)."""
    num_images: AtLeast1 | None = None
    """A random draw of so many images; left out: all."""
    seed: Seed = 0
    """Of the draws."""
    labels: Annotated[str | None, Flag(metavar="COLUMN")] = None
    """A column of the run's table, of kinds."""
    factors: Annotated[tuple[str, ...], Flag(metavar="COLUMN")] = ()
    """Columns of known numbers."""
    groups: Annotated[str | None, Flag(metavar="COLUMN")] = None
    """A column that says which images belong together, such as those of one plate."""
    batches: Annotated[str | None, Flag(metavar="COLUMN")] = None
    """A column that says which groups were made together."""


def run(options: Options) -> int:
    """Does it."""
    from vaelab.cli._notes import say, say_collapse
    from vaelab.evaluation import all_metrics
    from vaelab.runs.question import ask
    from vaelab.runs.results import folder_of, measure

    _check_labels(options)
    trained = options.load()
    with naming({name: f"--{name}" for name in ("split", "metrics", "labels", "factors", "groups", "batches")}):
        question = ask(
            trained,
            stage=options.stage,
            split=options.split,
            num_images=options.num_images,
            num_samples=options.num_samples,
            seed=options.seed,
            labels=options.labels,
            factors=options.factors,
            groups=options.groups,
            batches=options.batches,
        )
        measured = measure(trained, question, options.metrics or None, progress=not options.quiet)
    plural = "s" * (question.num_images != 1)
    images = f"{question.num_images:,} {question.split} image{plural}"
    images += f", {question.stage} stage" * bool(question.stage)
    show(measured.scores, f"{images}, {question.num_samples:,} samples each")
    for line in _not_measured(options.metrics, measured.scores):
        print(line)
    if (accuracy := measured.score("classifier_accuracy")) and not options.quiet:
        print(
            f"Features are those of a classifier of {options.labels!r} that vaelab trained, right on "
            f"{100 * accuracy.value:.1f} % of these images.\n"
            "They are not comparable with FID or KID, whose features are Inception's."
        )
    if not options.quiet:
        print("Intervals are over images; another seed of the training may change a number by more than they show.")
        print(f"Kept in {folder_of(trained, question)}")
    for name in options.metrics:
        if measured.score(name) is None:
            say(f"{name} is not measured, as it asks for {', '.join(all_metrics([name])[name].needs)}")
    say_collapse(measured, trained)
    return 0


_WANTED = {
    "labels": "a column of kinds (--labels)",
    "factors": "columns of known numbers (--factors)",
    "factor_ranks": "columns of known numbers (--factors)",
    "groups": "a column of groups (--groups)",
    "batches": "a column of batches (--batches)",
    "latent_rates": "a prior whose latents are independent of each other",
    "level_elbos": "a likelihood that speaks of grey levels",
    "regions": "images of a known plane with a hole",
}
"""What of that which metrics ask for not every run gives."""


def _not_measured(names: Iterable[str], scores: Sequence[Score]) -> Iterator[str]:
    """A line for each metric that was asked for and has no score, not even one without a number."""
    from vaelab.evaluation import all_metrics

    there = {score.metric for score in scores}
    for name, metric in all_metrics(names).items() if names else ():
        if name not in there:
            wanted = [words for need, words in _WANTED.items() if need in metric.needs]
            yield f"Not measured: {name}, which asks for {' and '.join(wanted) or ', '.join(metric.needs)}."


def _check_labels(options: Options) -> None:
    """Refuses metrics of a classifier's features where nothing says what to classify."""
    from vaelab.evaluation import all_metrics
    from vaelab.evaluation.features import FEATURES

    with naming({"metrics": "--metrics"}):
        chosen = all_metrics(options.metrics).values()
    name = next((metric.name for metric in chosen if FEATURES & {*metric.needs}), "")
    if name and not options.labels:
        mend = "It is measured in the features of a classifier of them."
        raise InputError("--labels", f"name a column of kinds for {name}", "none", mend)


def show(scores: Sequence[Score], title: str) -> None:
    """Prints one line per score, and beside it what trivial models score, then why some scores have no number.

    Of a metric of many parts, and of measures of neighbourhoods, which all say something alike, only the whole.
    """
    from vaelab.evaluation import all_metrics

    alike = {metric.name for metric in all_metrics().values() if metric.words.group == "neighbourhoods"}
    models = list(dict.fromkeys(score.model for score in scores if score.model))
    found = {(score.metric, score.part, score.model): score for score in scores}
    rows = []
    for score in scores:
        parts = sum(other.metric == score.metric and not other.model for other in scores)
        if score.model or (score.part and (parts > _MOST_PARTS or score.metric in alike)):
            continue
        others = [number(found.get((score.metric, score.part, model))) for model in models]
        better = "" if score.better == "neither" else score.better
        rows.append([label(score), number(score), _interval(score), score.unit, better, *others])
    columns = ["measure", "value", "95 % interval", "unit", "better", *models]
    screen.table(title, columns, rows, left=["measure", "unit", "better"])
    unsaid = [score for score in scores if score.reason and not score.model]
    for reason in dict.fromkeys(score.reason for score in unsaid):
        names = dict.fromkeys(score.metric for score in unsaid if score.reason == reason)
        print(f"No number for {', '.join(names)}: {reason}.")


def label(score: Score) -> str:
    """What a line is called: the metric, and the part that it speaks of."""
    return f"{score.metric} {score.part}".rstrip()


def number(score: Score | None) -> str:
    """A score's value, to five digits."""
    return "" if score is None else f"{score.value:.5g}"


def _interval(score: Score) -> str:
    return "" if score.interval is None else f"[{score.interval[0]:.5g}, {score.interval[1]:.5g}]"
