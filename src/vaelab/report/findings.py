"""What the measures say, in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator

from vaelab.distributions import COLLAPSE_RATE
from vaelab.report.look import Look
from vaelab.report.terms import last_elbos, series
from vaelab.report.words import number, plural, value_of


def findings(look: Look) -> Iterator[str]:
    """One sentence each."""
    *_, last = look.stages
    yield from _parts_of_elbo(look)
    if len(look.stages) > 1:
        yield _all_stages(look)
    if look.value("rate") > COLLAPSE_RATE:
        yield _activity(look)
    own, linear = look.value("mse"), look.value("mse", model="PCA")
    if not math.isnan(own + linear):
        yield (
            f"Its squared error per pixel is {number(own / max(linear, 1e-12), digits=2)} times that of PCA with as "
            f"many components ({number(own, digits=3)} against {number(linear, digits=3)})."
        )
    if gap := last_elbos(look.metrics, last):
        train, validation = map(number, gap)
        apart = f"a gap of {number(gap[0] - gap[1], digits=3)} nats" if gap[0] > gap[1] else "no gap"
        steps = [0, *series(look.metrics, "train", "elbo", last)[0]]
        over = plural(int(steps[-1] - steps[-2]), "step")
        yield (
            f"When training ended, the ELBO was {train} on training images, as a mean over the last {over}, and "
            f"{validation} on validation images: {apart}."
        )


def _parts_of_elbo(look: Look) -> Iterator[str]:
    """The ELBO as the sum of its two parts."""
    scores = [look.score(name) for name in ("elbo", "distortion", "rate")]
    if not all(scores):
        return
    elbo, distortion, cost = (value_of(score) for score in scores if score)
    if look.run.model.likelihood.space == "unit":
        yield (
            f"The ELBO of a held-out image, {elbo} nats, is minus its distortion ({distortion}) minus its rate "
            f"({cost}). These are densities of grey values, so they may lie on either side of zero; only differences "
            "between models count."
        )
    else:
        yield (
            f"A held-out image has an ELBO of {elbo} nats: its code costs {cost} nats (rate), and drawing the image "
            f"from its code costs {distortion} nats more (distortion)."
        )


def _activity(look: Look) -> str:
    active, rates = int(look.active.sum()), look.latent_rates
    words = f"{active} of {plural(look.latent_dim, 'latent')} {'is' if active == 1 else 'are'} active."
    if rates is None or look.latent_dim == 1:
        return words
    most = int(rates.argmax())
    return f"{words} z{most} carries the most: {rates[most]:.2f} nats, {rates[most] / rates.sum():.0%} of the rate."


def _all_stages(look: Look) -> str:
    """What each stage carries, and how well it reconstructs."""
    first, *_, last = look.stages
    errors = [look.value("mse", stage) for stage in (first, last)]
    carried = [_carried(look, stage) for stage in look.stages]
    others = [f"the {stage}'s {words}" for stage, words in zip(look.stages[1:], carried[1:], strict=True)]
    return (
        f"The {first} stage's code carries {carried[0]}, {', '.join(others)}. The squared error per pixel is "
        f"{number(errors[0], digits=3)} after the {first} and {number(errors[1], digits=3)} after the {last}, "
        f"{number(errors[1] / max(errors[0], 1e-12), digits=2)} times as much."
    )


def _carried(look: Look, stage: str) -> str:
    active, latents = int(look.active_in(stage).sum()), look.measured(stage).embedding.latent_dim
    return f"{number(look.value('rate', stage), digits=3)} nats in {active} active of {plural(latents, 'latent')}"
