"""What a metric is: a function of arrays that gives scores, with the words that are said of it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, Literal, ParamSpec, get_args

import numpy as np

from vaelab.metrics._resample import mean_score
from vaelab.metrics._score import Score, Way, no_score

P = ParamSpec("P")
Group = Literal[
    "nats",
    "code",
    "neighbourhoods",
    "clusters",
    "labels",
    "factors",
    "batches",
    "pixels",
    "features",
    "explanations",
]
"""What a metric looks at."""
GROUPS: tuple[Group, ...] = get_args(Group)
"""In the order in which metrics are listed."""
Fact = float | Callable[..., float] | None
"""A number, or a function of the metric's settings that gives it."""


@dataclass(frozen=True, kw_only=True)
class Words:
    """What is said of a metric, wherever it is shown."""

    title: str
    """Its name in words."""
    group: Group
    """What it looks at."""
    order: int = 50
    """Its place within the group, the lowest first."""
    better: Way
    """Which way is better."""
    source: str
    """Where it is defined."""
    same_data: bool = False
    """Whether it may be compared only between likelihoods of the same data."""
    headline: bool = False
    """Whether it is one of the few numbers that stand above all others."""
    one_model: bool = False
    """Whether it sets the images of one model against each other, and so says nothing of another model."""


class Metric(Generic[P]):
    """A metric: called with arrays, it gives its scores, that of the whole first.

    Its signature is that of the function that it was made from.
    """

    def __init__(self, function: Callable[P, Score | Iterable[Score]], words: Words):
        functools.update_wrapper(self, function)
        self.name, self.words, self._function = function.__name__, words, function
        parameters = inspect.signature(function).parameters.values()
        self.takes = tuple(parameter.name for parameter in parameters)
        """All that it can be given, by name."""
        self.needs = tuple(parameter.name for parameter in parameters if parameter.default is parameter.empty)
        """What it cannot do without."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> tuple[Score, ...]:
        found = self._function(*args, **kwargs)
        return self._said([found] if isinstance(found, Score) else found)

    def _said(self, scores: Iterable[Score]) -> tuple[Score, ...]:
        words = self.words
        return tuple(replace(s, metric=self.name, better=words.better, source=words.source) for s in scores)


class PerImage(Metric[P]):
    """A metric that is the mean over images of a number of each image, and perhaps of each of an image's parts."""

    def __init__(self, function: Callable[P, np.ndarray], words: Words, averaging: Averaging):
        super().__init__(function, words)  # pyright: ignore[reportArgumentType]
        self.values, self._averaging = function, averaging
        """(image,) or (image, part): the number of each image. It can be asked for some images at a time."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> tuple[Score, ...]:
        bound = inspect.signature(self.values).bind(*args, **kwargs)
        bound.apply_defaults()
        return self.scores(self.values(*args, **kwargs), bound.arguments)

    def scores(self, values: np.ndarray, facts: Mapping[str, object]) -> tuple[Score, ...]:
        """The scores, from the values of all images.

        Args:
            values: What `values` gave, of all images.
            facts: The settings, by name; others are passed over.
        """
        how = self._averaging
        settings = {name: p.default for name, p in inspect.signature(self.values).parameters.items()} | {**facts}
        unit, null, ceiling = (_told(fact, settings) for fact in (how.unit, how.null, how.ceiling))

        def score(column: np.ndarray, part: str = "") -> Score:
            shown = self.counted(column)
            if not len(shown):
                return replace(no_score(how.nothing, unit, len(column)), part=part, null=null, ceiling=ceiling)
            return mean_score(shown, unit, part=part, null=null, ceiling=ceiling)

        return self._said(score(column, part) for part, column in self.columns(values, settings).items())

    def counted(self, column: np.ndarray) -> np.ndarray:
        """(image,): of the number of each image, that of which the score is the mean."""
        how = self._averaging.counted
        return how(column).astype(np.float64) if how else column

    def columns(self, values: np.ndarray, facts: Mapping[str, object]) -> dict[str, np.ndarray]:
        """Part -> (image,) values; all parts together first, under an empty name."""
        if values.ndim == 1:
            return {"": values}
        columns = {"": self._averaging.whole(values)}
        names = facts.get(self._averaging.parts) or range(values.shape[1])
        return columns | (dict(zip(map(str, names), values.T, strict=True)) if values.shape[1] > 1 else {})  # pyright: ignore[reportArgumentType]


@dataclass(frozen=True, kw_only=True)
class Averaging:
    """How the numbers of images become scores."""

    unit: str | Callable[..., str]
    null: Fact
    ceiling: Fact
    counted: Callable[[np.ndarray], np.ndarray] | None
    whole: Callable[[np.ndarray], np.ndarray]
    parts: str
    nothing: str


def metric(
    title: str,
    *,
    group: Group,
    better: Way,
    source: str,
    order: int = 50,
    same_data: bool = False,
    headline: bool = False,
    one_model: bool = False,
) -> Callable[[Callable[P, Score | Iterable[Score]]], Metric[P]]:
    """Makes a metric of a function of whole arrays that gives a Score, or several.

    Args: as `Words`.

    >>> @metric("Spread", group="code", better="neither", source="nobody")
    ... def spread(codes, power=2):
    ...     return Score(value=float(codes.std() ** power), unit="", count=len(codes))
    >>> spread(np.array([[0.0], [2.0]]))[0].value, spread.needs, inspect.signature(spread)
    (1.0, ('codes',), <Signature (codes, power=2)>)
    """
    words = Words(
        title=title,
        group=group,
        order=order,
        better=better,
        source=source,
        same_data=same_data,
        headline=headline,
        one_model=one_model,
    )
    return lambda function: Metric(function, words)


def per_image(
    title: str,
    *,
    group: Group,
    better: Way,
    source: str,
    unit: str | Callable[..., str],
    order: int = 50,
    same_data: bool = False,
    headline: bool = False,
    one_model: bool = False,
    null: Fact = None,
    ceiling: Fact = None,
    counted: Callable[[np.ndarray], np.ndarray] | None = None,
    whole: Callable[[np.ndarray], np.ndarray] = lambda values: values.mean(1),
    parts: str = "channels",
    nothing: str = "",
) -> Callable[[Callable[P, np.ndarray]], PerImage[P]]:
    """Makes a metric of a function that gives a number for each image, or for each part of each image.

    The scores are means over images with bootstrap intervals: of the whole and, where there are several, of each part.
    Of images and reconstructions it is asked for some at a time, so each number must follow from its own image alone.

    Args:
        title: As in `Words`; likewise group, order, better, source, same_data, headline and one_model.
        unit: Of the numbers; or a function, of the metric's settings by name, that gives it.
        null: What a code that says nothing scores; or such a function.
        ceiling: What the mean cannot pass; or such a function.
        counted: What of the numbers the mean is taken; left out, of the numbers themselves.
        whole: From an image's parts (image, part) to the image; left out, their mean.
        parts: The setting that names the parts; they are numbered where it is empty.
        nothing: Why no number may be left to count.

    >>> @per_image("Brightness", group="pixels", unit="intensity", better="neither", source="nobody")
    ... def brightness(images, channels=()):
    ...     return images.mean((-2, -1))
    >>> [(s.part, s.value) for s in brightness(np.array([[[[1.0]], [[0.0]]]]), channels=("DNA", "actin"))]
    [('', 0.5), ('DNA', 1.0), ('actin', 0.0)]
    """
    words = Words(
        title=title,
        group=group,
        order=order,
        better=better,
        source=source,
        same_data=same_data,
        headline=headline,
        one_model=one_model,
    )
    how = Averaging(unit=unit, null=null, ceiling=ceiling, counted=counted, whole=whole, parts=parts, nothing=nothing)
    return lambda function: PerImage(function, words, how)


def _told(fact, settings: dict[str, object]) -> Any:
    """A fact as it stands, or what its function says of the settings."""
    return fact(**{name: settings[name] for name in inspect.signature(fact).parameters}) if callable(fact) else fact
