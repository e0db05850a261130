"""All measures of a model at once, against each computed the plain way."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from torch.distributions import Independent, Normal, kl_divergence

from toy_models import CurvedVAE, LinearVAE
from vaelab.errors import InputError
from vaelab.evaluation import evaluate
from vaelab.likelihoods.bernoulli import BernoulliLikelihood
from vaelab.likelihoods.continuous_bernoulli import ContinuousBernoulliLikelihood
from vaelab.likelihoods.discretized_logistic import DiscretizedLogisticLikelihood
from vaelab.likelihoods.gaussian import GaussianLikelihood
from vaelab.likelihoods.grey_bernoulli import GreyBernoulliLikelihood
from vaelab.metrics import Score
from vaelab.models import VAEConfig


@pytest.fixture(scope="module")
def digits():
    return torch.from_numpy(load_digits().images).float().unsqueeze(1) / 16


@pytest.fixture(scope="module")
def vae():
    torch.manual_seed(0)
    return VAEConfig(latent_dim=3, likelihood=GreyBernoulliLikelihood()).build((1, 8, 8))


def test_rates_and_distortions_are_those_of_torch(digits, vae):
    x = digits[:50]
    measures = evaluate(vae, x, num_samples=400, batch_size=20)
    with torch.no_grad():
        q = vae.encode(x)
        rate = kl_divergence(q, vae.prior)
        draws = torch.stack([-vae.decode(q.sample()).log_prob(x) for _ in range(400)])
    np.testing.assert_allclose(measures.per_image["rate"], rate, rtol=1e-5)
    error = draws.std(0) / 20
    assert (np.abs(measures.per_image["distortion"] - draws.mean(0).numpy()) < 8 * error.numpy()).all()
    assert measures.score("rate").value == pytest.approx(rate.mean().item(), rel=1e-5)
    assert measures.latent_rates.sum() == pytest.approx(rate.mean().item(), rel=1e-5)
    assert measures.score("rate_per_latent").value == pytest.approx(rate.mean().item() / 3, rel=1e-5)
    assert measures.score("rate_per_latent", "1").value == pytest.approx(measures.latent_rates[1], rel=1e-5)
    elbo = measures.score("elbo").value
    assert elbo == pytest.approx(-(measures.per_image["rate"] + measures.per_image["distortion"]).mean())
    assert elbo < measures.score("log_likelihood").value


def test_each_score_says_what_is_needed_to_read_it(digits, vae):
    measures = evaluate(vae, digits[:60], num_samples=8)
    for score in measures.scores:
        name = score.metric
        assert isinstance(score, Score)
        assert np.isfinite(score.value), name
        assert score.unit, name
        assert score.source, name
        assert score.count == 60, name
        assert score.interval[0] <= score.value <= score.interval[1], name
        assert score.ceiling is None or score.value <= score.ceiling, name
    assert "not normalised" in measures.score("elbo").unit
    assert measures.score("bits_per_dim") is None, "what is no probability has no bits"


def test_each_channel_has_its_own_score():
    model = LinearVAE(image_shape=(3, 12, 13))
    x = torch.rand(20, 3, 12, 13, dtype=torch.float64)
    measures = evaluate(model, x, num_samples=2, channels=("DNA", "actin", "tubulin"))
    with torch.no_grad():
        y = model.decode(model.encode(x).mean).mean
    for index, name in enumerate(("DNA", "actin", "tubulin")):
        error = (x - y)[:, index].square().mean((-2, -1))
        assert measures.score("mse", name).value == pytest.approx(error.mean().item(), rel=1e-9)
        assert measures.score("psnr", name).value == pytest.approx((-10 * error.log10()).mean().item(), rel=1e-9)
        np.testing.assert_allclose(measures.per_image[f"mse/{name}"], error, rtol=1e-9)
        assert {("mae", name), ("ssim", name)} <= {(score.metric, score.part) for score in measures.scores}
    assert measures.score("mse").value == pytest.approx((x - y).square().mean().item(), rel=1e-9)
    with pytest.raises(InputError, match="channels should be 3 names, got 2"):
        evaluate(model, x, channels=("a", "b"))


def test_baselines_are_the_mean_image_and_pca(digits, vae):
    train, held_out = digits[:1000], digits[1000:1200]
    measured = evaluate(vae, held_out, num_samples=1, training_images=train)
    mean = train.mean(0)
    by_mean, by_pca = (measured.score("mse", model=model).value for model in ("mean image", "PCA"))
    assert by_mean == pytest.approx((held_out - mean).square().mean().item(), rel=1e-4)
    assert measured.score("mse").null == by_mean
    pca = PCA(3).fit(train.flatten(1).numpy())
    restored = pca.inverse_transform(pca.transform(held_out.flatten(1).numpy())).clip(0, 1)
    assert by_pca == pytest.approx(np.mean((restored - held_out.flatten(1).numpy()) ** 2), rel=1e-3)
    assert by_pca < by_mean
    of_pixels = {score.metric for score in measured.scores if score.model == "PCA"}
    assert of_pixels == {"mse", "mae", "psnr", "sharpness", "ssim"}


def test_bits_per_dimension_of_binary_pixels_and_of_densities(digits):
    x = torch.rand(30, 1, 3, 3).round()
    scores = evaluate(CurvedVAE(), x, num_samples=50)
    bits = -scores.score("log_likelihood").value / (9 * np.log(2))
    assert scores.score("bits_per_dim").value == pytest.approx(bits, rel=1e-6)
    assert scores.score("bits_per_dim").unit == "bits per dimension"
    gaussian = VAEConfig(likelihood=GaussianLikelihood()).build((1, 8, 8))
    assert evaluate(gaussian, digits[:30], num_samples=5).score("bits_per_dim") is None
    scores = evaluate(gaussian, digits[:30], num_samples=5, num_levels=16)
    bits = -scores.score("log_likelihood").value / (64 * np.log(2)) + 4
    assert scores.score("bits_per_dim").value == pytest.approx(bits, rel=1e-5)


def test_bits_of_grey_levels_are_the_elbo_of_levels_and_one_for_cross_entropy_and_its_normalised_form(digits):
    def measured(likelihood, x, metrics, **more):
        torch.manual_seed(0)
        return evaluate(VAEConfig(latent_dim=2, likelihood=likelihood).build((1, 8, 8)), x, metrics=metrics, **more)

    x = digits[:1].expand(500, -1, -1, -1)
    logistic = DiscretizedLogisticLikelihood()
    bits = measured(logistic, x, ["level_bits"]).score("level_bits")
    elbo = measured(logistic, digits[:1], ["elbo"], num_samples=2000).score("elbo")
    assert bits.value == pytest.approx(-elbo.value / (64 * np.log(2)), abs=5 * np.std(bits.interval))
    grey, continuous = (
        measured(likelihood, digits[:20], ["level_bits"]).score("level_bits").value
        for likelihood in (GreyBernoulliLikelihood(), ContinuousBernoulliLikelihood())
    )
    assert grey == pytest.approx(continuous, rel=1e-6)
    for likelihood in (BernoulliLikelihood(), DiscretizedLogisticLikelihood(num_levels=16)):
        assert measured(likelihood, digits[:5].round(), ["level_bits"]).score("level_bits") is None


def test_a_stream_is_measured_like_a_tensor_and_once(digits):
    torch.manual_seed(1)
    model = VAEConfig(latent_dim=2, likelihood=GreyBernoulliLikelihood()).build((1, 8, 8))
    x, seen = digits[:100], []
    whole = evaluate(model, x, num_samples=4, batch_size=32)
    stream = evaluate(model, iter(x.split(32)), num_samples=4, batch_size=32, on_batch=seen.append)
    assert seen == [32, 32, 32, 4]
    assert whole.scores == stream.scores
    np.testing.assert_array_equal(whole.embedding.loc, stream.embedding.loc)


def test_measuring_disturbs_nothing(digits, vae):
    vae.train()
    state, weights = torch.get_rng_state(), [p.clone() for p in vae.parameters()]
    evaluate(vae, digits[:20], num_samples=2, training_images=digits[20:60])
    assert torch.equal(torch.get_rng_state(), state)
    assert vae.training
    assert all(torch.equal(a, b) for a, b in zip(weights, vae.parameters(), strict=True))
    assert all(p.grad is None for p in vae.parameters())


def test_likelihoods_are_float32_whatever_training_uses(digits, vae):
    expected = evaluate(vae, digits[:40], num_samples=3).scores
    vae.set_network_dtype(torch.bfloat16)
    try:
        assert evaluate(vae, digits[:40], num_samples=3).scores == expected
        assert vae.network_dtype == torch.bfloat16
    finally:
        vae.set_network_dtype(torch.float32)


def test_a_prior_that_does_not_factorise_leaves_out_the_rate_per_latent():
    loc = torch.zeros(2, 1)
    prior = torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(torch.ones(2)), Independent(Normal(loc, loc + 1), 1)
    )
    measures = evaluate(CurvedVAE(prior), torch.rand(10, 1, 3, 3).round(), num_samples=20)
    assert measures.score("rate_per_latent") is None
    assert measures.score("rate") is not None
    assert measures.latent_rates is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_samples": 0}, "num_samples should be at least 1, got 0"),
        ({"batch_size": 0}, "batch_size should be at least 1, got 0"),
        ({"training_images": torch.rand(1, 1, 8, 8)}, "training_images should hold at least two images, got 1"),
        ({"images": torch.rand(4, 1, 8, 9)}, r"images should be of shape \(image, 1, 8, 8\), got \(4, 1, 8, 9\)"),
        ({"images": 255 * torch.ones(4, 1, 8, 8)}, r"images should lie in \[0, 1\], got values from 255 to 255"),
        ({"images": torch.full((4, 1, 8, 8), torch.nan)}, r"images should lie in \[0, 1\], got values from nan to nan"),
        ({"images": torch.rand(0, 1, 8, 8)}, "images should hold at least one image, got none"),
        ({"images": []}, "images should hold at least one image, got none"),
        ({"images": iter([np.zeros((4, 1, 8, 8), int)])}, r"images should be floats in \[0, 1\], got int64"),
        ({"images": [torch.zeros(4, 1, 8, 8).byte()]}, r"images should be floats in \[0, 1\], got torch.uint8"),
    ],
)
def test_refusals_say_what_to_mend(vae, change, message):
    arguments = {"images": torch.rand(4, 1, 8, 8), **change}
    with pytest.raises(InputError, match=message):
        evaluate(vae, **arguments)


def test_grey_pixels_are_refused_where_the_likelihood_is_of_binary_ones(digits):
    with pytest.raises(InputError, match="be 0 or 1"):
        evaluate(VAEConfig().build((1, 8, 8)), digits[:4])
