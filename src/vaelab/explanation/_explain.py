"""Images as a classifier would have them step by step more, and step by step less, of a class."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from vaelab.catalogue import find, members, name_of
from vaelab.data.rows import Rows
from vaelab.errors import InputError
from vaelab.explanation.exaggeration import Draw, Exaggeration, Scene, Targets
from vaelab.explanation.judge import Judge, Outputs, Takes, judge_for
from vaelab.inference import ImageBatches, Trained, batches, images_at_once, opened
from vaelab.models import Conditions, Model, evaluating

_MOST_OTHERS, _MOST_NUMBERS = 2000, 62_000_000
_OUTER = 0.025


@dataclass(frozen=True, eq=False, kw_only=True)
class Series:
    """What one method made of the images."""

    method: str
    """Its name."""
    is_baseline: bool
    """Whether it is there for others to be measured against."""
    codes: np.ndarray
    """(image, target, latent): where each step lies."""
    images: np.ndarray
    """(image, target, channel, height, width), in [0, 1]."""
    said: np.ndarray
    """(image, target): what the classifier says of them."""
    seconds: float
    """Of the processor's clock, for all images and targets together."""
    draw: Draw
    """The method as it was used, with all that it learnt."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Explained:
    """Images, what the classifier says of them, and series of others like them by several methods."""

    name: str
    """Of the class or number."""
    images: np.ndarray
    """(image, channel, height, width), in [0, 1]."""
    reconstructions: np.ndarray
    """(image, channel, height, width): what the model makes of them."""
    codes: np.ndarray
    """(image, latent): means of their posteriors."""
    said: np.ndarray
    """(image,): f(x)."""
    said_of_reconstructions: np.ndarray
    """(image,): f of the reconstructions; where it differs from f(x) the model loses what the classifier looks at."""
    targets: np.ndarray
    """(image, target): what f was wanted to be."""
    series: dict[str, Series]
    """By method; the second of several solutions of one as ``latent_optimization_2``."""
    judge: Judge
    """f, as it was asked."""


def explain(
    model: Model | Trained,
    classifier: Judge | nn.Module | object,
    images: ImageBatches | Rows | None = None,
    *,
    targets: int | Sequence[float] = 10,
    methods: Iterable[str | Exaggeration] = ("linear_direction", "latent_shift", "random_direction"),
    others: ImageBatches | Rows | None = None,
    toward: Conditions | None = None,
    takes: Takes | None = None,
    column: int | None = None,
    outputs: Outputs | None = None,
    seed: int = 0,
) -> Explained:
    """Images as a classifier would have them step by step more, and step by step less, of a class.

    Args:
        model: The model, or a run.
        classifier: f: any function from images to probabilities, a torch module, or a fitted estimator of scikit-learn
            of images or of embeddings. With a run it is given images in the units of the run's files, with a model
            alone in [0, 1]. Or what `judge_of` gives.
        images: As in `embed`.
        targets: What f is wanted to be; a number of targets is the middles of so many equal parts of 0 to 1, or, of a
            classifier that predicts a number, of the central 95 % of what it says of the other images.
        methods: Names, or members of the family `Exaggeration` with settings of their own.
        others: Other images, such as training images, from whose codes directions and spreads follow; of a run they are
            a draw of training images if left out, else the images themselves.
        toward: (1, number), the condition to which class-exaggeration goes; `Run.under` makes it.
        takes: images or codes: what the classifier is given, codes being the means that `embed` gives. Left out, an
            estimator of scikit-learn says it by how many features it was fitted to, and is refused where that fits
            both; all else takes images. `Explained.judge.takes` says which it was.
        column: The class that is explained, from 0; left out, the second of two, the last column.
        outputs: probabilities, logits or number; left out, a number by a regressor, else probabilities.
        seed: Of what is drawn.

    Raises:
        InputError: An argument is not known or out of range, a method cannot work with this classifier, or the
            classifier gives what it should not.

    *Source*: Singla et al. 2020, Explanation by progressive exaggeration (https://arxiv.org/abs/1911.00483).

    >>> from vaelab.models import VAEConfig
    >>> vae = VAEConfig(latent_dim=2).build((1, 8, 8))
    >>> bright = lambda x: np.stack([1 - x.mean((1, 2, 3)), x.mean((1, 2, 3))], 1)
    >>> explain(vae, bright, torch.rand(5, 1, 8, 8), targets=4).series["latent_shift"].images.shape
    (5, 4, 1, 8, 8)
    """
    judge = judge_for(model, classifier, takes, column, outputs)
    chosen = [method_called(each) if isinstance(each, str) else each for each in methods]
    if others is None and isinstance(model, Trained) and not isinstance(model, Model):
        others = "train"  # pyright: ignore[reportAssignmentType]
    of_others = opened(model, images if others is None else others)
    given, own = opened(model, images)
    x = torch.cat([some for _, some in batches(given, own)])
    with evaluating(given):
        others_x, codes, said = seen(*of_others, judge)
        known = {"others_x": others_x, "others": codes, "others_said": said, "toward": toward}
        scene = Scene(model=given, judge=judge, x=x, seed=seed, **known)
        wanted = _targets(targets, judge, said).expand(len(x), -1).to(x)
        reconstructions = scene.decode(scene.z[:, None])[:, 0]
        series = {name: each for method in chosen for name, each in _series(method, scene, wanted)}
        return Explained(
            name=judge.name,
            images=x.numpy(force=True),
            reconstructions=reconstructions.numpy(force=True),
            codes=scene.z.numpy(force=True),
            said=judge(x).numpy(force=True),
            said_of_reconstructions=judge(reconstructions).numpy(force=True),
            targets=wanted.numpy(force=True),
            series=series,
            judge=judge,
        )


def _series(method: Exaggeration, scene: Scene, wanted: Targets) -> Iterator[tuple[str, Series]]:
    """Its name and what it makes of the images; then its other solutions, if it has any."""
    method.check(scene)
    began = time.process_time()
    draw = method.fitted(scene)
    first = draw(scene, wanted)
    more, drawn, number = method.more(scene, wanted, first), first, 1
    while drawn is not None:
        seconds = time.process_time() - began
        yield (
            name_of(method) + f"_{number}" * (number > 1),
            Series(
                method=name_of(method),
                is_baseline=method.is_baseline,
                codes=drawn.codes.numpy(force=True),
                images=drawn.images.numpy(force=True),
                said=scene.judge(drawn.images.flatten(0, 1)).view(wanted.shape).numpy(force=True),
                seconds=seconds,
                draw=draw,
            ),
        )
        began = time.process_time()
        drawn, number = next(more, None), number + 1


def method_called(name: str) -> Exaggeration:
    """The method of that name, with the settings that it has if nothing is said."""
    return find(Exaggeration, name, "method")()  # pyright: ignore[reportAbstractUsage]


def methods() -> list[str]:
    """The names of all methods."""
    return list(members(Exaggeration))


def seen(model: Model, images: ImageBatches, judge: Judge) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """As many of some images as fit, codes of the first 2,000 of them, and what the classifier says of these."""
    pixels, codes, said, count = [], [], [], 0
    for given, x in batches(model, images, images_at_once(model.image_shape)):
        codes.append(given.encode(x).mean)
        said.append(judge(x))
        if not count or (count + len(x)) * x[0].numel() <= _MOST_NUMBERS:
            pixels.append(x.clone())
        count += len(x)
        if count >= _MOST_OTHERS:
            break
    return torch.cat(pixels), torch.cat(codes), torch.cat(said)


def _targets(targets: int | Sequence[float], judge: Judge, said: torch.Tensor) -> torch.Tensor:
    """(target,): what f is wanted to be."""
    if isinstance(targets, int):
        if targets < 2:
            raise InputError("targets", "be at least 2", targets)
        middles = (torch.arange(targets, dtype=torch.float64) + 0.5) / targets
        if not judge.is_number:
            return middles
        low, high = said.double().cpu().quantile(torch.tensor([_OUTER, 1 - _OUTER], dtype=torch.float64))
        return low + (high - low) * middles
    wanted = torch.as_tensor(np.asarray(targets, np.float64))
    if wanted.ndim != 1 or not len(wanted) or not torch.isfinite(wanted).all():
        raise InputError("targets", "be a list of finite numbers", targets)
    if not judge.is_number and not ((wanted > 0) & (wanted < 1)).all():
        raise InputError("targets", "be probabilities between 0 and 1", targets)
    return wanted
