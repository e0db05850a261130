"""Directions in which codes can be moved: latents, principal axes, and classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from vaelab.errors import InputError, unknown_name

MOST_CLASSES = 50


def latent_directions(latent_dim: int, latents: Sequence[int] | None = None) -> dict[str, np.ndarray]:
    """Name -> (latent,): the axis of each latent.

    Args:
        latent_dim: How many latents there are.
        latents: Which; left out, all.

    Raises:
        InputError: There is no such latent.

    >>> {name: axis.tolist() for name, axis in latent_directions(2, [1]).items()}
    {'z1': [0.0, 1.0]}
    """
    wanted = np.arange(latent_dim) if latents is None else np.asarray(latents, int)
    if not len(wanted) or not ((wanted >= 0) & (wanted < latent_dim)).all():
        raise InputError("latents", f"be numbers from 0 to {latent_dim - 1}", wanted.tolist())
    return {f"z{latent}": np.eye(latent_dim)[latent] for latent in wanted.tolist()}


def principal_directions(codes: np.ndarray, count: int = 3) -> dict[str, np.ndarray]:
    """Name -> (latent,), of length 1: the principal axes of codes, along which they vary most; found without labels.

    Each points to where its largest part is positive. Axes along which codes don't vary are left out.

    Args:
        codes: (image, latent).
        count: How many at most.

    *Source*: Harkonen et al. 2020, GANSpace (https://arxiv.org/abs/2004.02546), principal axes as directions.

    >>> z = np.random.default_rng(0).normal(size=(500, 2)) @ [[3.0, 4.0], [0.4, -0.3]]
    >>> {name: np.abs(axis).round(1).tolist() for name, axis in principal_directions(z, 1).items()}
    {'axis 1': [0.6, 0.8]}
    """
    centred = codes.astype(np.float64) - codes.mean(0, dtype=np.float64)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[: min(count, int((sizes > 1e-6 * max(float(sizes[0]), 1e-300)).sum()))]
    signs = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(1)])
    return {f"axis {i + 1}": axis * sign for i, (axis, sign) in enumerate(zip(axes, signs, strict=True))}


def class_directions(
    codes: np.ndarray, labels: Sequence[object] | np.ndarray, reference: object = None
) -> dict[str, np.ndarray]:
    """Name -> (latent,): from the mean code of the other images to that of a class, with the length 1.

    Two classes have one direction, from the first to the second. With a reference, from that class to each other.

    Args:
        codes: (image, latent).
        labels: (image,), the class of each image; 2 to 50 kinds, none missing.
        reference: One of them.

    Raises:
        InputError: The labels are not such, or the means of two classes are the same.

    >>> codes = np.array([[0.0, 0.0], [0.0, 2.0], [3.0, 1.0]])
    >>> {name: way.tolist() for name, way in class_directions(codes, ["a", "a", "b"]).items()}
    {'a to b': [1.0, 0.0]}
    """
    given = pd.Series(np.asarray(labels))
    if len(given) != len(codes):
        raise InputError("labels", f"be one for each of {len(codes)} images", len(given))
    if given.isna().any():
        raise InputError("labels", "have a value for every image", "missing ones", "Leave those images out.")
    kinds = sorted(given.unique().tolist(), key=str)
    if not 2 <= len(kinds) <= MOST_CLASSES:
        raise InputError("labels", f"be 2 to {MOST_CLASSES} kinds", len(kinds))
    if reference is not None and reference not in kinds:
        raise unknown_name("reference", str(reference), map(str, kinds))
    start = kinds[0] if reference is None and len(kinds) == 2 else reference
    found = {}
    for kind in kinds:
        if kind == start:
            continue
        others = given != kind if start is None else given == start
        way = codes[(given == kind).to_numpy()].mean(0) - codes[others.to_numpy()].mean(0)
        length = float(np.linalg.norm(way))
        if not length > 0:
            raise InputError("codes", "differ between classes in the mean", f"the same for {kind}")
        found[str(kind) if start is None else f"{start} to {kind}"] = way.astype(np.float64) / length
    return found
