"""Grey levels, dequantisation and bits per dimension: which number is exact and which is a bound."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate

from vaelab.distributions import (
    BetaPixels,
    CategoricalPixels,
    ContinuousBernoulliPixels,
    GaussianPixels,
    LaplacePixels,
    dequantize,
    discretize,
    quantize,
)
from vaelab.errors import InputError
from vaelab.likelihoods import Likelihood, bits_per_dim, check_comparable, check_pixels
from vaelab.likelihoods.bernoulli import BernoulliLikelihood
from vaelab.likelihoods.beta import BetaLikelihood
from vaelab.likelihoods.categorical import CategoricalLikelihood
from vaelab.likelihoods.discretized_logistic import DiscretizedLogisticLikelihood
from vaelab.likelihoods.gaussian import GaussianLikelihood
from vaelab.likelihoods.grey_bernoulli import GreyBernoulliLikelihood
from vaelab.likelihoods.laplace import LaplaceLikelihood
from vaelab.settings.record import from_record


def pixel(value: float) -> torch.Tensor:
    return torch.full((1, 1, 1, 1), value, dtype=torch.float64)


@given(bits=st.integers(1, 12), seed=st.integers(0, 2**31))
def test_levels_survive_dequantisation(bits, seed):
    num_levels = 2**bits
    generator = torch.Generator().manual_seed(seed)
    level = torch.randint(0, num_levels, (2, 3, 8, 8), generator=generator)
    x = level / (num_levels - 1)
    assert torch.equal(quantize(x, num_levels), level)
    y = dequantize(x, num_levels, generator)
    assert torch.equal(quantize(y, num_levels), level)
    assert ((y >= 0) & (y < 1)).all()


def test_dequantisation_noise_is_uniform_and_repeatable():
    x = torch.full((1, 1, 200, 200), 3 / 7)
    u = dequantize(x, 8, torch.Generator().manual_seed(0)) * 8 - 3
    np.testing.assert_allclose(np.quantile(u, [0.1, 0.5, 0.9]), [0.1, 0.5, 0.9], atol=0.01)
    assert torch.equal(dequantize(x, 8, torch.Generator().manual_seed(0)) * 8 - 3, u)


def test_coarser_levels_drop_the_lowest_bits():
    x = torch.arange(256)
    for bits in range(1, 9):
        assert torch.equal(quantize((x / 255).view(1, 1, 16, 16), 2**bits).flatten(), x >> (8 - bits))


@pytest.mark.parametrize("num_levels", [0, 1, 3, 255, 8192])
def test_levels_must_be_a_power_of_two(num_levels):
    for likelihood in ("categorical", "discretized_logistic"):
        with pytest.raises(InputError, match=f"num_levels should be 2, 4, .* 2048 or 4096, got {num_levels}"):
            from_record(Likelihood, {"kind": likelihood, "num_levels": num_levels})
    for refused in (
        lambda: dequantize(torch.zeros(1, 1, 1, 1), num_levels),
        lambda: bits_per_dim(torch.zeros(1), 1, "unit", num_levels),
    ):
        with pytest.raises(InputError, match=f"power of two from 2 to 4096, got {num_levels}"):
            refused()


densities = st.one_of(
    st.builds(lambda loc, scale: GaussianPixels(pixel(loc), pixel(scale)), st.floats(0, 1), st.floats(0.02, 2)),
    st.builds(lambda loc, scale: LaplacePixels(pixel(loc), pixel(scale)), st.floats(0, 1), st.floats(0.02, 2)),
    st.builds(lambda logits: ContinuousBernoulliPixels(pixel(logits)), st.floats(-20, 20)),
)


@given(density=densities, bits=st.integers(1, 8), data=st.data())
def test_dequantisation_never_flatters_a_density(density, bits, data):
    """Jensen: the mean over the noise is a bound to the exact bits per dimension of the levels, and near it."""
    num_levels = 2**bits
    level = data.draw(st.integers(0, num_levels - 1))
    node, weight = np.polynomial.legendre.leggauss(200)
    y = torch.from_numpy((level + (node + 1) / 2) / num_levels).view(-1, 1, 1, 1)
    mean = (density.log_prob(y) * torch.from_numpy(weight / 2)).sum()
    bound = bits_per_dim(mean[None], 1, "unit", num_levels)
    exact = bits_per_dim(
        discretize(density, num_levels).log_prob(pixel(level / (num_levels - 1))), 1, "levels", num_levels
    )
    assert bound >= exact - 1e-3


def test_bits_per_dim_of_a_density_like_numerical_integration():
    """The Beta: the bound's mean by quadrature and by dequantisation."""
    p = BetaPixels(pixel(2.0), pixel(5.0), 0.005)
    level, num_levels = 60, 256
    expected, _ = integrate.quad(
        lambda u: -p.log_prob(pixel((level + u) / num_levels)).item() / log(2) + 8, 0, 1, epsabs=1e-10
    )
    y = dequantize(pixel(level / 255).expand(4000, 1, 1, 1), num_levels, torch.Generator().manual_seed(0))
    found = bits_per_dim(p.log_prob(y), 1, "unit", num_levels)
    assert found.mean().item() == pytest.approx(expected, abs=5 * found.std().item() / 4000**0.5)
    mass, _ = integrate.quad(lambda x: np.exp(p.log_prob(pixel(x)).item()), level / 256, (level + 1) / 256)
    assert -np.log2(mass) <= expected
    assert -np.log2(mass) == pytest.approx(expected, abs=1e-4)


def test_knowing_nothing_costs_all_the_bits():
    x = torch.rand(5, 3, 4, 4)
    uniform = CategoricalPixels(torch.zeros(5, 32, 3, 4, 4))
    torch.testing.assert_close(bits_per_dim(uniform.log_prob(x), 48, "levels", 32), torch.full((5,), 5.0))
    flat = ContinuousBernoulliPixels(torch.zeros(5, 3, 4, 4))
    torch.testing.assert_close(bits_per_dim(flat.log_prob(dequantize(x, 32)), 48, "unit", 32), torch.full((5,), 5.0))
    coin = BernoulliLikelihood()(torch.zeros(5, 3, 4, 4), {})
    torch.testing.assert_close(bits_per_dim(coin.log_prob(x.round()), 48, "binary", 2), torch.ones(5))


def test_bits_per_dim_refuses_what_means_nothing():
    with pytest.raises(InputError, match="num_levels should be 2 in binary space, got 256"):
        bits_per_dim(torch.zeros(1), 784, "binary", 256)
    with pytest.raises(InputError, match="num_pixels should be at least 1, got 0"):
        bits_per_dim(torch.zeros(1), 0, "unit", 256)


def test_comparison_across_spaces_is_refused_by_name():
    check_comparable({})
    check_comparable({"a": GaussianLikelihood(), "b": BetaLikelihood(), "c": LaplaceLikelihood(scale=1.0)})
    check_comparable({"a": CategoricalLikelihood(num_levels=256), "b": DiscretizedLogisticLikelihood()})
    with pytest.raises(
        InputError, match=r"of run 2 should speak of unit space, as that of run 1 does, got binary space"
    ):
        check_comparable({"run 1": GaussianLikelihood(), "run 2": BernoulliLikelihood()})
    with pytest.raises(
        InputError, match=r"levels space \(32 levels\), .* got levels space \(256 levels\)\. .*bits_per_dim"
    ):
        check_comparable({"a": CategoricalLikelihood(num_levels=32), "b": DiscretizedLogisticLikelihood()})
    with pytest.raises(InputError, match="normalised for its log-likelihood to be compared, got grey_bernoulli"):
        check_comparable({"a": GaussianLikelihood(), "b": GreyBernoulliLikelihood()})


def test_pixels_that_a_likelihood_gives_no_probability_are_refused():
    grey = torch.full((1, 1, 2, 2), 0.25)
    check_pixels(BernoulliLikelihood(), grey.round())
    check_pixels(GreyBernoulliLikelihood(), grey)
    with pytest.raises(InputError, match=r"0 or 1 for the likelihood bernoulli, got a grey pixel of 0\.25\. Binarise"):
        check_pixels(BernoulliLikelihood(), grey)
    for bad in (float("nan"), -0.5, 255.0):
        with pytest.raises(InputError, match=r"lie within \[0, 1\], got"):
            check_pixels(GaussianLikelihood(), torch.full((1, 1, 2, 2), bad))


@pytest.mark.parametrize("cls", [GaussianLikelihood, LaplaceLikelihood, DiscretizedLogisticLikelihood])
def test_scales_are_checked(cls):
    with pytest.raises(InputError, match=r"^scale should be at least min_scale .* got 1e-05"):
        cls(scale=1e-5)
    with pytest.raises(InputError, match=r"^scale .* got nan"):
        cls(scale=float("nan"))
    with pytest.raises(InputError, match=r"^min_scale should be positive and finite, got 0"):
        cls(min_scale=0.0)
    assert cls(scale=1e-5, min_scale=1e-6).scale == 1e-5


def test_learnt_scales_begin_where_stated_and_keep_their_floor():
    for cls in (GaussianLikelihood, LaplaceLikelihood):
        likelihood = cls()
        free = likelihood.free_parameters(3)
        raw = torch.zeros(2, 3, 4, 4)
        torch.testing.assert_close(likelihood(raw, free).scale.flatten(), torch.full((3,), 0.11))
        assert likelihood(raw, {"raw_scale": torch.full((3, 1, 1), -1e4)}).scale.min() == torch.tensor(0.01)
        per_pixel = cls(scale="per_pixel")
        torch.testing.assert_close(per_pixel(torch.zeros(2, 6, 4, 4), {}).scale, torch.full((2, 3, 4, 4), 0.11))


def test_squared_and_absolute_error_are_likelihoods_of_a_stated_scale():
    x, raw = torch.rand(4, 3, 5, 5), torch.rand(4, 3, 5, 5)
    p = GaussianLikelihood(scale=0.5**0.5, loc="identity")(raw, {})
    best = p.log_prob(p.mode)
    torch.testing.assert_close(best - p.log_prob(x), (x - raw).square().sum((1, 2, 3)))
    p = LaplaceLikelihood(scale=1.0, loc="identity")(raw, {})
    torch.testing.assert_close(p.log_prob(p.mode) - p.log_prob(x), (x - raw).abs().sum((1, 2, 3)))


@pytest.mark.parametrize("margin", [0.0, 0.5, -1.0, float("nan")])
def test_beta_margin_is_checked(margin):
    with pytest.raises(InputError, match=r"^margin should be .*positive and below 0\.5"):
        BetaLikelihood(margin=margin)
