"""What every likelihood must keep, in every variant of its settings. A new file in the folder is tested by existing."""

from __future__ import annotations

import typing
from dataclasses import MISSING, fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.distributions import constraints

from vaelab.catalogue import members
from vaelab.likelihoods import Likelihood

CATALOGUE = members(Likelihood)
DOCS = Path(__file__).resolve().parents[2] / "docs" / "likelihoods.md"
RAW_VALUES = (-1.2, -0.7, 0.0, 0.4, 3.0)


def variants(cls: type[Likelihood]) -> list[Likelihood]:
    """The member with its defaults, and with each other choice of each setting that is a choice or a count."""
    hints = typing.get_type_hints(cls)
    found = [cls()]
    for field in fields(cls):
        for kind in typing.get_args(hints[field.name]) or (hints[field.name],):
            if typing.get_origin(kind) is typing.Literal:
                found += [replace(found[0], **{field.name: choice}) for choice in typing.get_args(kind)]
            elif isinstance(kind, str):
                found.append(replace(found[0], **{field.name: kind}))
            elif kind is int:
                found += [replace(found[0], **{field.name: count}) for count in (2, 16)]
            elif kind is float and hints[field.name] is not float:
                found.append(replace(found[0], **{field.name: 0.3}))
            elif kind is float:
                found.append(replace(found[0], **{field.name: 1.7 * field.default}))
    return list(dict.fromkeys(found))


ALL = [variant for cls in CATALOGUE.values() for variant in variants(cls)]
every_likelihood = pytest.mark.parametrize("likelihood", ALL, ids=repr)


def decoded(likelihood: Likelihood, values: tuple[float, ...] = RAW_VALUES, channels: int = 1, dtype=torch.float64):
    """One distribution for each combination of raw values on the first two planes, over images of one pixel."""
    planes = likelihood.planes * channels
    rows = (
        torch.cartesian_prod(torch.tensor(values), torch.tensor(values))
        if planes > 1
        else torch.tensor(values)[:, None]
    )
    raw = torch.zeros(len(rows), planes, 1, 1)
    raw[:, : rows.shape[1], 0, 0] = rows
    free = {name: value.to(dtype) for name, value in likelihood.free_parameters(channels).items()}
    return likelihood(raw.to(dtype), free)


def integral(distribution, support: constraints.Constraint, points: int = 8001):
    """Integral of exp(log_prob) over the support, and of x times it, per distribution, by the trapezoidal rule."""
    if support is constraints.real:
        t = torch.linspace(-14, 14, points, dtype=torch.float64)[:, None]
        centre = distribution.mode.flatten()
        x, slope = centre + 1e-3 * torch.sinh(t), 1e-3 * torch.cosh(t)
    else:
        low, high = (support.lower_bound, support.upper_bound)
        t = torch.linspace(-3.2, 3.2, points, dtype=torch.float64)[:, None].expand(-1, len(distribution.mode))
        w = torch.sigmoid(np.pi * torch.sinh(t))
        x, slope = low + (high - low) * w, (high - low) * w * (1 - w) * np.pi * torch.cosh(t)
    density = distribution.log_prob(x[..., None, None, None]).exp() * slope
    density = torch.where((slope > 0) & density.isfinite(), density, 0.0)
    step = t[1, 0] - t[0, 0]
    return density.sum(0) * step, (x * density).sum(0) * step


def total_and_mean(likelihood: Likelihood, distribution):
    """The mass that exp(log_prob) has over the likelihood's data space, and the mean under it."""
    if likelihood.space == "unit":
        support = distribution.support
        return integral(distribution, constraints.unit_interval if support.is_discrete else support)
    levels = 2 if likelihood.space == "binary" else likelihood.num_levels
    x = torch.linspace(0, 1, levels, dtype=torch.float64).view(-1, 1, 1, 1, 1)
    p = distribution.log_prob(x.expand(-1, len(distribution.mode), -1, -1, -1)).exp()
    return p.sum(0), (x.view(-1, 1) * p).sum(0)


def test_the_catalogue_is_complete():
    assert set(CATALOGUE) >= {
        *("bernoulli", "grey_bernoulli", "continuous_bernoulli", "gaussian", "laplace", "beta", "categorical"),
        "discretized_logistic",
    }


@every_likelihood
def test_normalised_exactly_where_it_says_so(likelihood):
    total, mean = total_and_mean(likelihood, decoded(likelihood))
    one = torch.ones_like(total)
    if likelihood.normalized:
        torch.testing.assert_close(total, one, atol=1e-4, rtol=0)
        torch.testing.assert_close(mean, decoded(likelihood).mean.flatten(), atol=1e-4, rtol=0)
    else:
        assert ((total - one).abs() > 1e-2).all()


@every_likelihood
def test_samples_have_the_mean_and_lie_in_the_support(likelihood):
    torch.manual_seed(0)
    distribution = decoded(likelihood, (-1.0, 1.5))
    x = distribution.sample((20_000,))
    assert x.shape == (20_000, *distribution.mean.shape)
    assert distribution.support.check(x).all()
    error = x.std(0) / 20_000**0.5
    assert ((x.mean(0) - distribution.mean).abs() <= 5 * error + 1e-6).all()


@every_likelihood
def test_mode_is_the_best_image(likelihood):
    distribution = decoded(likelihood)
    levels = {"binary": 2, "unit": 1001}.get(likelihood.space) or likelihood.num_levels
    x = torch.linspace(0, 1, levels, dtype=torch.float64).view(-1, 1, 1, 1, 1)
    on_grid = distribution.log_prob(x.expand(-1, len(distribution.mode), -1, -1, -1)).max(0).values
    assert (distribution.log_prob(distribution.mode) >= on_grid - 1e-9).all()


@every_likelihood
@pytest.mark.parametrize("value", [-30.0, 0.0, 30.0])
@pytest.mark.parametrize("pixel", [0.0, 0.5, 1.0])
def test_extreme_decoders_give_finite_values_and_gradients(likelihood, value, pixel):
    raw = torch.full((2, likelihood.planes * 3, 2, 2), value, requires_grad=True)
    free = {name: torch.full_like(v, value, requires_grad=True) for name, v in likelihood.free_parameters(3).items()}
    log_prob = likelihood(raw, free).log_prob(torch.full((2, 3, 2, 2), pixel))
    assert log_prob.shape == (2,)
    log_prob.sum().backward()
    for tensor in (log_prob, raw.grad, *(v.grad for v in free.values())):
        assert tensor.isfinite().all()


@every_likelihood
def test_gradients_are_right(likelihood):
    torch.manual_seed(0)
    raw = torch.randn(2, likelihood.planes * 2, 1, 2, dtype=torch.float64, requires_grad=True)
    free = {k: v.double().add(0.3).requires_grad_() for k, v in likelihood.free_parameters(2).items()}
    x = torch.rand(2, 2, 1, 2).double()
    torch.autograd.gradcheck(
        lambda raw, *values: likelihood(raw, dict(zip(free, values, strict=True))).log_prob(x), (raw, *free.values())
    )


@every_likelihood
def test_an_image_is_the_sum_of_its_pixels(likelihood):
    torch.manual_seed(0)
    raw, x = torch.randn(2, likelihood.planes * 3, 2, 2), torch.rand(2, 3, 2, 2).round()
    free = {name: torch.randn_like(v) for name, v in likelihood.free_parameters(3).items()}
    p = likelihood(raw, free)
    assert p.batch_shape == (2,)
    assert p.event_shape == p.mean.shape[1:] == p.mode.shape[1:] == (3, 2, 2)
    total = torch.zeros(2)
    for channel in range(3):
        one_free = {name: v[channel : channel + 1] for name, v in free.items()}
        for i, j in np.ndindex(2, 2):
            one_raw = raw[:, channel::3, i, j, None, None]
            total += likelihood(one_raw, one_free).log_prob(x[:, channel, i, j, None, None, None])
    torch.testing.assert_close(p.log_prob(x), total, atol=1e-4, rtol=1e-5)
    torch.testing.assert_close(p.nats_per_channel(x).sum(1), -p.log_prob(x))
    torch.testing.assert_close(p.nats_per_pixel(x).sum((-2, -1)), p.nats_per_channel(x))


@every_likelihood
def test_single_precision_agrees_with_double(likelihood):
    double, single = decoded(likelihood), decoded(likelihood, dtype=torch.float32)
    x = torch.rand(1, 1, 1, 1, generator=torch.Generator().manual_seed(0)).expand(double.mean.shape)
    torch.testing.assert_close(single.log_prob(x).double(), double.log_prob(x.double()), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(single.mean.double(), double.mean, atol=1e-5, rtol=1e-4)


@every_likelihood
def test_states_its_space(likelihood):
    assert likelihood.space in ("binary", "unit", "levels")
    assert isinstance(likelihood.normalized, bool)
    assert hasattr(likelihood, "num_levels") == (likelihood.space == "levels")


@pytest.mark.parametrize("cls", CATALOGUE.values(), ids=list(CATALOGUE))
def test_every_member_tells_its_source(cls):
    assert "*Source*" in cls.__doc__
    assert all(field.default is not MISSING for field in fields(cls))


def test_the_table_in_the_documentation_is_true():
    rows = [
        [cell.strip().strip("`") for cell in line.strip("|\n ").split("|")]
        for line in DOCS.read_text(encoding="utf-8").splitlines()
        if line.startswith("| `")
    ]
    expected = []
    for name, cls in CATALOGUE.items():
        member = cls()
        settings = ", ".join(f"{field.name} = {field.default}" for field in fields(cls)) or "none"
        normalised = "yes" if member.normalized else "**no**"
        expected.append([name, member.space, normalised, str(member.planes), settings])
    assert [row for row in rows if len(row) == len(expected[0])] == expected
