"""What series of images are worth: whether f follows, whether steps look like data, and whether they are the image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from vaelab.data.rows import Rows
from vaelab.errors import InputError
from vaelab.evaluation import Measured, all_metrics, measure_arrays
from vaelab.evaluation._baselines import principal_axes
from vaelab.explanation._explain import Explained, Series, seen
from vaelab.explanation.exaggeration import Scene
from vaelab.explanation.exaggeration._base import SeriesImages
from vaelab.inference import ImageBatches, Trained, images_at_once, opened
from vaelab.models import Conditions, Model, device_of, evaluating
from vaelab.shapes import Images

CHANGED = 0.05
"""Intensity by which a pixel must differ between the extremes to have changed."""
NUM_COMPONENTS = 50
_SAME = 1e-4
"""Codes nearer to each other than this share of the codes' spread are of one image."""
Features = Callable[[Images], Tensor]
"""From images to (image, feature)."""


@dataclass(frozen=True, eq=False, kw_only=True)
class _Beside:
    """What the series of all methods are judged by."""

    explained: Explained
    scene: Scene
    features: Features


def judge_series(
    model: Model | Trained,
    explained: Explained,
    images: ImageBatches | Rows | None = None,
    *,
    others: ImageBatches | Rows | None = None,
    features: Features | None = None,
    channels: Sequence[str] = (),
    toward: Conditions | None = None,
    seed: int = 0,
) -> dict[str, Measured]:
    """Every metric of explanations, of each method's series.

    On the way back each image's extreme, the step whose target is farthest from f of the reconstruction, is exaggerated
    until f is what it was there, by the method as it was fitted; what it draws at random it draws anew.

    Args:
        model: As `explain` was given it; likewise images, others and toward.
        explained: What `explain` gave.
        images: Needed of a model that is given conditions.
        others: Training images, to which steps should be near; the first 2,000 are used.
        features: In which steps are compared with images, such as a classifier's; left out, the first 50 principal
            components of the other images.
        channels: The channels' names; left out, those of the run, or numbers.
        toward: Needed of class-exaggeration.
        seed: As `explain` was given it.

    Returns:
        Method -> what was measured.

    Raises:
        InputError: The images are not those that were explained.

    *Source*: Singla et al. 2020, Explanation by progressive exaggeration (https://arxiv.org/abs/1911.00483).

    >>> from vaelab.explanation import explain
    >>> from vaelab.models import VAEConfig
    >>> vae, x = VAEConfig(latent_dim=2).build((1, 8, 8)), torch.rand(20, 1, 8, 8)
    >>> bright = lambda x: np.stack([1 - x.mean((1, 2, 3)), x.mean((1, 2, 3))], 1)
    >>> found = judge_series(vae, explain(vae, bright, x, targets=3))
    >>> found["random_direction"].score("consistency_error").count
    20
    """
    judge = explained.judge
    is_run = isinstance(model, Trained) and not isinstance(model, Model)
    given, _ = opened(model, images if is_run or images is not None else explained.images)
    count = len(explained.images)
    if given.conditions is not None and len(given.conditions) not in (1, count):
        raise InputError("images", f"be the {count} that were explained", len(given.conditions))
    if others is None:
        others = "train" if is_run else explained.images  # pyright: ignore[reportAssignmentType]
    facts: dict[str, object] = {"target_names": _names(explained.targets)}
    facts["channels"] = tuple(channels or getattr(model, "channels", ()) or map(str, range(given.image_shape[0])))
    wanted = [metric for metric in all_metrics().values() if metric.words.group == "explanations"]
    with evaluating(given), torch.no_grad():
        others_x, codes, said = seen(*opened(model, others), judge)
        x = _like(given, explained.images)
        known = {"others_x": others_x, "others": codes, "others_said": said, "toward": toward}
        scene = Scene(model=given, judge=judge, x=x, seed=seed, **known)
        beside = _Beside(explained=explained, scene=scene, features=features or _principal(others_x))
        return {
            name: measure_arrays(_arrays(series, beside) | facts, wanted) for name, series in explained.series.items()
        }


def of_steps(model: Model, steps: SeriesImages, compute: Callable[[Model, Images], Tensor]) -> Tensor:
    """(image, target, ...): something of each step's image, by the model under the conditions of its image."""
    count, found = steps.shape[1], list[Tensor]()
    at_once = max(1, images_at_once(model.image_shape) // count)
    for start in range(0, len(steps), at_once):
        some, own = steps[start : start + at_once], model.part(start, min(start + at_once, len(steps)))
        if own.conditions is not None and len(own.conditions) > 1:
            own = own.given(own.conditions.repeat_interleave(count, 0))
        found.append(compute(own, some.flatten(0, 1)).unflatten(0, some.shape[:2]))
    return torch.cat(found)


def _arrays(series: Series, beside: _Beside) -> dict[str, object]:
    """What metrics of explanations ask for, by name."""
    from sklearn.neighbors import NearestNeighbors

    scene, explained, features = beside.scene, beside.explained, beside.features
    steps, start = (_like(scene.model, images) for images in (series.images, explained.reconstructions))
    rows, targets, said = np.arange(len(steps)), explained.targets, explained.said_of_reconstructions
    low, high, extreme = (
        steps[rows, step] for step in (targets.argmin(1), targets.argmax(1), np.abs(targets - said[:, None]).argmax(1))
    )
    back = replace(scene, x=extreme, seed=scene.seed + 1)
    end = series.draw(back, _like(scene.model, said[:, None])).images[:, 0]
    tensors = {
        "real_features": features(scene.x),
        "drawn_features": features(start),
        "series_features": of_steps(scene.model, steps, lambda _, x: features(x)),
        "returned_codes": of_steps(scene.model, steps, lambda model, x: model.encode(x).mean),
        "drawn_codes": of_steps(scene.model, start[:, None], lambda model, x: model.encode(x).mean)[:, 0],
        "step_changes": (steps - start[:, None]).abs().mean((1, 3, 4)),
        "changed_shares": ((high - low).abs() > CHANGED).to(steps).mean((2, 3)),
        "gone": (extreme - start).abs().mean((1, 2, 3)),
        "back": (end - start).abs().mean((1, 2, 3)),
    }
    near = NearestNeighbors(n_neighbors=1).fit(scene.others.numpy(force=True)).kneighbors
    flat = series.codes.reshape(-1, series.codes.shape[-1])
    series_nearest, code_nearest = near(flat)[0].reshape(targets.shape), near(explained.codes)[0][:, 0]
    code_nearest[code_nearest < _SAME * float(scene.spread.norm())] = 0.0
    return {
        **{name: tensor.numpy(force=True) for name, tensor in tensors.items()},
        **{"desired": targets, "reached": series.said, "codes": explained.codes, "series_codes": series.codes},
        **{"series_nearest": series_nearest, "code_nearest": code_nearest},
    }


def _principal(images: Images) -> Features:
    """The first principal components of images, as features of any."""
    center, axes = (torch.from_numpy(part) for part in principal_axes(images, NUM_COMPONENTS))
    return lambda x: (x.flatten(1).cpu().to(center) - center) @ axes.T


def _like(model: Model, array: np.ndarray) -> Tensor:
    """The array where the model is, and as precise."""
    dtype = next((weights.dtype for weights in model.parameters()), None)
    return torch.from_numpy(array).to(device_of(model), dtype)


def _names(targets: np.ndarray) -> tuple[str, ...]:
    """Of the steps, by what was wanted; numbers where that is not the same for all images."""
    names = tuple(f"{target:.3g}" for target in targets[0])
    return names if (targets == targets[0]).all() and len(set(names)) == len(names) else ()
