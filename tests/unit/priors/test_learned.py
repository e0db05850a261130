"""The priors that learn, against SciPy, sums over components by hand, and scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import entr, logsumexp, rel_entr
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from torch import nn
from torch.distributions import Independent, Normal

from toy_models import around
from vaelab.distributions import rate
from vaelab.distributions.mixture import fit_mixture, responsibilities
from vaelab.errors import InputError
from vaelab.metrics.clustering_accuracy import clustering_accuracy
from vaelab.models import VAEConfig
from vaelab.networks.conv import ConvDecoder, ConvEncoder
from vaelab.priors.mixture import MixturePrior
from vaelab.priors.standard_normal import StandardNormalPrior
from vaelab.priors.vamp import VampPrior

SHAPE = (1, 8, 8)
CENTERS = np.array([[-5.0, 0.0, 1.0], [4.0, 4.0, -1.0], [4.0, -4.0, 0.0]])
SPREADS = np.array([[0.5, 1.0, 0.3], [1.0, 0.4, 0.6], [0.7, 0.7, 1.2]])
SHARES = (200, 500, 300)


def random_mixture(num_components=4, latent_dim=3, dtype=torch.float64):
    """A prior with weights far from fresh ones."""
    torch.manual_seed(0)
    module = MixturePrior(num_components=num_components).build(latent_dim, SHAPE).to(dtype)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn_like(parameter))
    return module


def plain(module):
    """Weights, means and scales of a mixture prior, computed apart from it."""
    raw = module.raw_scale.detach().double().numpy()
    logits = module.logits.detach().double().numpy()
    scale = module.min_scale + np.log1p(np.exp(raw))
    return np.exp(logits) / np.exp(logits).sum(), module.loc.detach().double().numpy(), scale


def log_joint(module, z):
    """(image, component): log p(z, c), by SciPy."""
    weight, loc, scale = plain(module)
    parts = [np.log(w) + stats.norm(m, s).logpdf(z).sum(1) for w, m, s in zip(weight, loc, scale, strict=True)]
    return np.stack(parts, 1)


def three_clusters():
    random = np.random.default_rng(1)
    parts = [random.normal(m, s, (n, 3)) for m, s, n in zip(CENTERS, SPREADS, SHARES, strict=True)]
    codes = np.concatenate(parts)
    kinds = np.repeat(np.arange(3), SHARES)
    order = random.permutation(len(codes))
    return torch.from_numpy(codes[order]).float(), kinds[order]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_mixtures_density_is_scipys(dtype):
    module = random_mixture(dtype=dtype)
    z = 3 * torch.randn(200, 3, dtype=dtype)
    expected = logsumexp(log_joint(module, z.double().numpy()), axis=1)
    tolerance = 1e-5 if dtype == torch.float32 else 1e-12
    np.testing.assert_allclose(module(None).log_prob(z).detach(), expected, rtol=tolerance, atol=tolerance)


def test_responsibilities_are_bayes_rule():
    module = random_mixture()
    z = 3 * torch.randn(200, 3, dtype=torch.float64)
    joint = log_joint(module, z.numpy())
    found = responsibilities(module(None), z)
    np.testing.assert_allclose(found.detach(), np.exp(joint - logsumexp(joint, axis=1, keepdims=True)), atol=1e-12)
    torch.testing.assert_close(found.sum(1), torch.ones(200, dtype=torch.float64))


def test_far_codes_and_unlikely_components_stay_finite_in_float32():
    module = random_mixture(dtype=torch.float32)
    with torch.no_grad():
        module.logits[0] = -200.0
        module.raw_scale[1] = -60.0
    z = torch.tensor([[1e4, -1e4, 1e4], [0.0, 0.0, 0.0]], requires_grad=True)
    p = module(None)
    assert torch.isfinite(p.log_prob(z)).all()
    assert torch.isfinite(responsibilities(p, z)).all()
    p.log_prob(z).sum().backward()
    assert torch.isfinite(z.grad).all()
    assert all(torch.isfinite(parameter.grad).all() for parameter in module.parameters())
    assert p.component_distribution.base_dist.scale.min().item() == pytest.approx(0.01)


def test_the_rate_gives_vades_bound():
    """Sum over c of q(c|x) [log p(z|c) + log p(c) - log q(z|x) - log q(c|x)], with q(c|x) = p(c|z), is -rate."""
    module = random_mixture()
    p = module(None)
    q = Independent(Normal(torch.randn(50, 3).double(), 0.2 + torch.rand(50, 3).double()), 1)
    z = q.sample()
    joint, log_q = log_joint(module, z.numpy()), q.log_prob(z).numpy()
    posterior = np.exp(joint - logsumexp(joint, axis=1, keepdims=True))
    bound = (posterior * (joint - log_q[:, None]) + entr(posterior)).sum(1)
    np.testing.assert_allclose(-rate(q, p, z).detach(), bound, rtol=1e-10)


def test_with_the_papers_posterior_over_components_the_bound_is_lower_by_their_divergence():
    """VaDE's equations 12 and 14 for q(c|x) = E_q[p(c|z)], with its closed form of E_q[log p(z|c)]."""
    module = random_mixture()
    weight, loc, scale = plain(module)
    mean, spread = np.array([0.3, -1.0, 2.0]), np.array([0.5, 0.8, 0.3])
    q = Independent(Normal(torch.from_numpy(mean)[None], torch.from_numpy(spread)[None]), 1)
    torch.manual_seed(0)
    z = q.sample((400_000,))[:, 0]
    p_c = responsibilities(module(None), z).detach().numpy()
    gamma = p_c.mean(0)
    cross = -0.5 * (np.log(2 * np.pi * scale**2) + (spread**2 + (mean - loc) ** 2) / scale**2).sum(1)
    entropy = 0.5 * np.log(2 * np.pi * math.e * spread**2).sum()
    paper = (gamma * (cross + np.log(weight) - np.log(gamma))).sum() + entropy
    divergence = rel_entr(gamma, p_c).sum(1)
    ours = module(None).log_prob(z).detach().numpy() - q.log_prob(z[:, None])[:, 0].numpy()
    difference = ours - divergence
    assert divergence.mean() > 0.01
    assert paper == pytest.approx(difference.mean(), abs=5 * difference.std() / 400_000**0.5)


def test_one_component_is_a_gaussian_and_its_rate_the_closed_form_on_average():
    module = MixturePrior(num_components=1).build(2, SHAPE)
    with torch.no_grad():
        module.loc.zero_()
    z = torch.randn(20, 2)
    standard = StandardNormalPrior().build(2, SHAPE)(None)
    torch.testing.assert_close(module(None).log_prob(z), standard.log_prob(z), atol=1e-5, rtol=1e-5)
    torch.manual_seed(0)
    q = Independent(Normal(torch.tensor([[0.5, -1.0]]).expand(100_000, 2), torch.tensor([0.3, 1.2])), 1)
    nats = rate(q, module(None), q.sample())
    closed = rate(q, standard)[0].item()
    assert nats.mean().item() == pytest.approx(closed, abs=5 * nats.std().item() / 100_000**0.5)


def test_starting_recovers_three_clusters():
    codes, kinds = three_clusters()
    module = MixturePrior(num_components=3).build(3, SHAPE)
    module.start(torch.rand(len(codes), *SHAPE), around(codes), seed=0)
    weight, loc, scale = plain(module)
    order = np.argsort(weight)[[0, 2, 1]]  # 0.2, 0.5, 0.3
    np.testing.assert_allclose(weight[order], np.array(SHARES) / 1000, atol=0.01)
    np.testing.assert_allclose(loc[order], CENTERS, atol=0.2)
    np.testing.assert_allclose(scale[order], SPREADS, rtol=0.15)
    found = responsibilities(module(None), codes).argmax(1).numpy()
    assert (order[kinds] == found).mean() > 0.995


def test_starting_is_scikit_learns_fit():
    """Which begins elsewhere: from k-means of all codes. Its best of many ends in the same place."""
    codes, _ = three_clusters()
    module = MixturePrior(num_components=3, covariance_type="full").build(3, SHAPE)
    module.start(torch.rand(len(codes), *SHAPE), around(codes), seed=7)
    x = codes.double().numpy()
    expected = GaussianMixture(3, covariance_type="full", n_init=10, max_iter=1000, tol=1e-6, random_state=7).fit(x)
    log_prob = expected.score_samples(x)
    np.testing.assert_allclose(module(None).log_prob(codes).detach(), log_prob, atol=0.02)
    fitted = fit_mixture(x, 3, 7, "full")
    np.testing.assert_allclose(fitted.score_samples(x), log_prob, atol=0.02)
    assert fitted.lower_bound_ == pytest.approx(log_prob.mean(), abs=2e-3)
    np.testing.assert_allclose(module.logits.softmax(0).detach(), fitted.weights_, rtol=1e-4)
    diagonal = MixturePrior(num_components=3).build(3, SHAPE)
    diagonal.start(torch.rand(len(codes), *SHAPE), around(codes), seed=7)
    weight, loc, scale = plain(diagonal)
    np.testing.assert_allclose(weight, fitted.weights_, rtol=1e-4)
    np.testing.assert_allclose(loc, fitted.means_, atol=1e-3)
    np.testing.assert_allclose(scale**2, [np.diag(each) for each in fitted.covariances_], rtol=1e-2)


@pytest.mark.parametrize("equal_weights", [False, True])
def test_of_several_modes_the_likeliest_is_kept(equal_weights):
    """Eight clusters, of which fits from single starts often join two and cut another."""
    random = np.random.default_rng(4)
    kinds = np.arange(1600) % 8
    x = random.normal(0, 8, (8, 4))[kinds] + random.normal(size=(1600, 4)) @ random.normal(size=(4, 4))
    fitted = fit_mixture(x, 8, 0, "full", equal_weights=equal_weights)
    alone = [GaussianMixture(8, random_state=seed, max_iter=1000, init_params="random_from_data") for seed in range(6)]
    bounds = [each.fit(x).lower_bound_ for each in alone]
    assert fitted.lower_bound_ > max(bounds) - 2e-3
    assert fitted.lower_bound_ > min(bounds) + 0.05
    assert clustering_accuracy(kinds, fitted.predict(x))[0].value > 0.99


def test_codes_that_are_mostly_one_are_fitted_by_full_covariances():
    codes = np.concatenate([np.zeros((2000, 2)), [[4.0, 0.0]], [[0.0, 4.0]]])
    fitted = fit_mixture(codes, 3, 0, "full")
    assert len(np.unique(fitted.predict(codes))) == 3
    np.testing.assert_allclose(np.sort(fitted.weights_), [1 / 2002, 1 / 2002, 2000 / 2002], atol=1e-6)


def test_few_images_are_fitted_by_diagonal_covariances():
    codes, _ = three_clusters()
    few = codes[:70]
    module = MixturePrior(num_components=3).build(3, SHAPE)
    module.start(torch.rand(70, *SHAPE), around(few), seed=7)
    expected = GaussianMixture(3, covariance_type="diag", n_init=48, max_iter=1000, random_state=7).fit(few.double())
    log_prob = module(None).log_prob(few).detach()
    np.testing.assert_allclose(log_prob, expected.score_samples(few.double()), atol=2e-2)


def test_full_covariances_density_is_scipys():
    torch.manual_seed(0)
    module = MixturePrior(num_components=4, covariance_type="full").build(3, SHAPE).double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn_like(parameter))
    weight, loc, scale = plain(module)
    factors = np.tril(module.lower.detach().numpy(), -1) + np.stack([np.diag(each) for each in scale])
    z = 3 * torch.randn(200, 3).double()
    parts = [stats.multivariate_normal(m, f @ f.T).logpdf(z.numpy()) for m, f in zip(loc, factors, strict=True)]
    joint = np.log(weight) + np.stack(parts, 1)
    np.testing.assert_allclose(module(None).log_prob(z).detach(), logsumexp(joint, axis=1), rtol=1e-10)
    expected = np.exp(joint - logsumexp(joint, axis=1, keepdims=True))
    np.testing.assert_allclose(responsibilities(module(None), z).detach(), expected, atol=1e-12)


def test_full_components_begin_as_wide_as_the_means_and_the_posteriors():
    codes, kinds = three_clusters()
    codes = codes @ torch.tensor([[1.0, 0.6, -0.3], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
    wide = torch.tensor([0.3, 0.5, 0.7])[torch.from_numpy(kinds)][:, None].expand(-1, 3)
    module = MixturePrior(num_components=3, covariance_type="full").build(3, SHAPE)
    module.start(torch.rand(len(codes), *SHAPE), Independent(Normal(codes, wide), 1), seed=0)
    parts = module(None).component_distribution
    for kind, width in enumerate((0.3, 0.5, 0.7)):
        mine = codes[kinds == kind].numpy()
        nearest = np.abs(parts.mean.detach().numpy() - mine.mean(0)).sum(1).argmin()
        expected = np.cov(mine.T, ddof=0) + width**2 * np.eye(3)
        np.testing.assert_allclose(parts.covariance_matrix[nearest].detach(), expected, atol=0.05 * expected.max())


def by_hand(x, kinds, num_iterations):
    """EM with equal weights and full covariances, a point and a component at a time."""
    shares = np.eye(kinds.max() + 1)[kinds]
    for _ in range(num_iterations):
        loc = [np.average(x, axis=0, weights=share) for share in shares.T]
        cov = [np.cov(x.T, ddof=0, aweights=share) + 1e-6 * np.eye(len(x.T)) for share in shares.T]
        density = np.stack([stats.multivariate_normal(m, c).pdf(x) for m, c in zip(loc, cov, strict=True)], 1)
        shares = density / density.sum(1, keepdims=True)
    return np.array(loc), np.array(cov), np.log(density.mean(1))


def test_equal_weights_are_fitted_as_by_hand():
    random = np.random.default_rng(0)
    x = np.concatenate([random.normal(size=(300, 2)), random.normal([2.5, 0], [0.4, 1], (100, 2))]) * [1.0, 3.0]
    fitted = fit_mixture(x, 2, 0, "full", equal_weights=True, n_init=1)
    assert fitted.weights_.tolist() == [0.5, 0.5]
    axes = PCA(whiten=True).fit_transform(x)
    kinds = KMeans(2, n_init=1, random_state=0).fit(axes).labels_
    loc, cov, log_density = by_hand(x, kinds, 300)
    order = np.argsort(loc[:, 0])
    mine = np.argsort(fitted.means_[:, 0])
    np.testing.assert_allclose(fitted.means_[mine], loc[order], atol=0.1)
    np.testing.assert_allclose(fitted.covariances_[mine], cov[order], atol=0.1 * cov.max())
    assert fitted.score(x) == pytest.approx(log_density.mean(), abs=2e-3)
    free = fit_mixture(x, 2, 0, "full")
    assert free.weights_.max() > 0.65
    assert free.score(x) > fitted.score(x)
    assert free._n_parameters() - fitted._n_parameters() == 1


def test_equal_weights_stay_equal():
    codes, _ = three_clusters()
    module = MixturePrior(num_components=3, equal_weights=True).build(3, SHAPE)
    module.start(torch.rand(len(codes), *SHAPE), around(codes), seed=0)
    torch.testing.assert_close(module(None).mixture_distribution.probs, torch.full((3,), 1 / 3))
    assert "logits" not in dict(module.named_parameters())
    assert list(dict(MixturePrior().build(2, SHAPE).named_parameters())) == ["logits", "loc", "raw_scale"], "as saved"
    assert set(module.state_dict()) == set(MixturePrior(num_components=3).build(3, SHAPE).state_dict())


def test_full_covariances_are_fitted_where_latents_carry_nothing():
    random = np.random.default_rng(0)
    sides = np.repeat([-5.0, 5.0], 100)
    codes = np.stack([sides + random.normal(size=200), np.full(200, 3.0), 1e-12 * random.normal(size=200)], 1)
    fitted = fit_mixture(codes, 2, 0, "full")
    assert (fitted.predict(codes) == fitted.predict(codes[:1])).sum() in (100, 101, 99)
    np.testing.assert_allclose(np.sort(fitted.means_[:, 0]), [-5, 5], atol=0.4)
    np.testing.assert_allclose(fitted.means_[:, 1], 3.0)
    module = MixturePrior(num_components=2, covariance_type="full").build(3, SHAPE)
    module.start(torch.rand(200, *SHAPE), around(torch.from_numpy(codes).float()), 0)
    assert all(torch.isfinite(weight).all() for weight in module.parameters())


def test_a_component_that_no_image_belongs_to_starts_finite(monkeypatch):
    """Its responsibilities underflow."""
    monkeypatch.setattr(GaussianMixture, "predict_proba", lambda self, x: np.eye(3)[np.zeros(len(x), int)])
    codes, _ = three_clusters()
    module = MixturePrior(num_components=3).build(3, SHAPE)
    module.start(torch.rand(len(codes), *SHAPE), around(codes), seed=0)
    assert all(torch.isfinite(weight).all() for weight in module.parameters())


def test_starting_finds_long_clusters_across_the_axes_and_adds_the_posteriors_width():
    random = torch.Generator().manual_seed(0)
    along, across = torch.randn(2, 600, generator=random) * torch.tensor([[1.0], [0.1]])
    kinds = torch.arange(600) % 2
    codes = torch.stack([along - across, along + across + 1.5 * kinds], 1)
    wide = torch.where(kinds == 0, 0.2, 0.7)[:, None].expand(-1, 2)
    module = MixturePrior(num_components=2).build(2, SHAPE)
    module.start(torch.rand(600, *SHAPE), Independent(Normal(codes, wide), 1), seed=0)
    weight, loc, scale = plain(module)
    order = np.argsort(loc[:, 1] - loc[:, 0])
    np.testing.assert_allclose(weight, [0.5, 0.5], atol=0.01)
    for kind, component in enumerate(order):
        mine = codes[kinds == kind].numpy()
        np.testing.assert_allclose(loc[component], mine.mean(0), atol=0.02)
        np.testing.assert_allclose(scale[component] ** 2, mine.var(0) + (0.04, 0.49)[kind], rtol=0.01)


def test_scales_start_off_the_floor_where_codes_lie_on_a_line():
    codes = torch.stack([torch.linspace(-1, 1, 100), torch.zeros(100)], 1)
    module = MixturePrior(num_components=2, min_scale=0.05).build(2, SHAPE)
    module.start(torch.rand(100, *SHAPE), around(codes), seed=0)
    scale = module(None).component_distribution.base_dist.scale
    torch.testing.assert_close(scale[:, 1], torch.full((2,), 0.1))
    module(None).log_prob(codes).sum().backward()
    assert (module.raw_scale.grad.abs() > 0).all()


def test_a_latent_that_carries_nothing_costs_nothing_after_the_start():
    """A collapsed latent's posterior is N(0, 1) for every image: the prior must be as wide there, not as its means."""
    torch.manual_seed(0)
    vae = VAEConfig(latent_dim=2, prior=MixturePrior(num_components=2)).build(SHAPE)
    last = vae.encoder[-1]
    with torch.no_grad():
        last.weight[[1, 3]] = 0.0  # latent 1: loc 0 and a constant scale
        last.bias[1], last.bias[3] = 0.0, math.log(math.e - 1)
    x = torch.rand(500, *SHAPE)
    vae.start_prior(x, seed=0)
    scale = vae.prior.component_distribution.base_dist.scale[:, 1]
    torch.testing.assert_close(scale, torch.ones(2), atol=0.25, rtol=0)
    q = vae.encode(x)
    assert rate(q, vae.prior, q.sample()).mean().item() < 1


def test_a_posterior_of_posteriors_is_their_mean():
    module = VampPrior(num_components=6).build(2, SHAPE).double()
    encoder = nn.Linear(64, 4).double()

    def encode(x):
        loc, raw = encoder(x.flatten(1)).chunk(2, 1)
        return Independent(Normal(loc, raw.exp()), 1)

    z = torch.randn(30, 2).double()
    q = encode(module.pseudo_inputs)
    loc, scale = q.base_dist.loc.detach().numpy(), q.base_dist.scale.detach().numpy()
    each = [stats.norm(loc[k], scale[k]).logpdf(z.numpy()).sum(1) for k in range(6)]
    np.testing.assert_allclose(module(encode).log_prob(z).detach(), logsumexp(each, axis=0) - np.log(6), rtol=1e-10)
    parts = responsibilities(module(encode), z).detach()
    np.testing.assert_allclose(parts, np.exp(each - logsumexp(each, axis=0)).T, rtol=1e-8)


def test_pseudo_inputs_start_at_different_images():
    images = torch.rand(40, *SHAPE).round()
    module = VampPrior(num_components=30).build(2, SHAPE)
    module.start(images, around(torch.zeros(40, 2)), seed=0)
    u = module.pseudo_inputs.detach()
    assert u.min() >= 0
    assert u.max() <= 1
    distance = torch.cdist(u.flatten(1), images.flatten(1)) / 8
    assert distance.min(1).values.max() < 0.02  # root mean square over the pixels
    assert len(set(distance.argmin(1).tolist())) == 30
    assert len(u.unique(dim=0)) == 30


def test_pseudo_inputs_stay_in_range_and_come_back_from_its_ends():
    module = VampPrior(num_components=1).build(1, SHAPE)
    seen = []

    def encode(x):
        seen.append((x.min().item(), x.max().item()))
        mean = x.flatten(1).mean(1, keepdim=True)
        return Independent(Normal(mean, torch.full_like(mean, 0.1)), 1)

    optimizer = torch.optim.SGD(module.parameters(), lr=2.0)
    for target in (3.0, -3.0, 0.5):
        for _ in range(400):
            optimizer.zero_grad()
            (-module(encode).log_prob(torch.tensor([[target]])).mean() * 0.01).backward()
            optimizer.step()
        found = module(encode).mean.item()
        assert found == pytest.approx(min(1, max(0, target)), abs=0.01)
    assert min(low for low, _ in seen) >= 0
    assert max(high for _, high in seen) <= 1


def conv_vae(prior):
    torch.manual_seed(0)
    encoder, decoder = ConvEncoder(widths=(8, 16), dense=()), ConvDecoder(widths=(16, 8), dense=())
    return VAEConfig(latent_dim=2, encoder=encoder, decoder=decoder, prior=prior).build(SHAPE)


def test_batch_normalisation_takes_in_the_pseudo_inputs_while_training_only():
    vae = conv_vae(VampPrior(num_components=4))
    norm = next(module for module in vae.modules() if isinstance(module, nn.BatchNorm2d))
    before = norm.running_mean.clone()
    vae.train()
    _ = vae.prior
    after = norm.running_mean.clone()
    assert not torch.equal(before, after)
    vae.eval()
    _ = vae.prior
    assert torch.equal(after, norm.running_mean)


@pytest.mark.parametrize(
    "prior",
    [
        MixturePrior(num_components=3),
        MixturePrior(num_components=3, covariance_type="full", equal_weights=True),
        VampPrior(num_components=8),
    ],
    ids=["mixture", "full", "vamp"],
)
def test_a_few_steps_of_training_lower_the_loss_and_move_every_weight(prior):
    vae = conv_vae(prior)
    x = (torch.rand(64, *SHAPE) < torch.linspace(0.05, 0.95, 64)[:, None, None, None]).float()
    vae.start_prior(x, seed=0)
    before = {name: weight.clone() for name, weight in vae.named_parameters()}
    optimizer, losses = torch.optim.Adam(vae.parameters(), lr=3e-3), []
    for _ in range(60):
        q = vae.encode(x)
        z = q.rsample()
        loss = (rate(q, vae.prior, z) - vae.decode(z).log_prob(x)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert np.mean(losses[-10:]) < np.mean(losses[:10]) - 1
    assert [name for name, weight in vae.named_parameters() if torch.equal(weight, before[name])] == []


def unchecked(loc):
    """Posteriors as a diverged model gives them."""
    return Independent(Normal(loc, torch.ones_like(loc), validate_args=False), 1, validate_args=False)


def refused(act) -> str:
    with pytest.raises(InputError) as error:
        act()
    return str(error.value)


def test_refusals():
    images = torch.rand(4, *SHAPE)
    mixture, vamp = MixturePrior(num_components=5).build(2, SHAPE), VampPrior(num_components=5).build(2, SHAPE)
    assert refused(lambda: mixture.start(images, around(torch.randn(4, 2)), 0)) == (
        "the codes should be at least 5, one for each component, got 4. Take fewer components, or more images."
    )
    more = torch.rand(40, *SHAPE)
    assert "got 1." in refused(lambda: mixture.start(more, around(torch.zeros(40, 2)), 0))
    assert "be finite numbers" in refused(lambda: mixture.start(more, unchecked(torch.full((40, 2), math.nan)), 0))
    assert refused(lambda: vamp.start(images, around(torch.randn(4, 2)), 0)) == (
        "the images should be at least 5, one for each pseudo-input, got 4. Take fewer pseudo-inputs, or more images."
    )
    assert "at least 1" in refused(lambda: MixturePrior(num_components=0))
    assert "min_scale" in refused(lambda: MixturePrior(min_scale=0.0))
    assert "num_components" in refused(lambda: VampPrior(num_components=0))
    assert "components should be at least 1" in refused(lambda: fit_mixture(np.zeros((3, 1)), 0))
    standard = StandardNormalPrior().build(2, SHAPE)(None)
    assert "should be a mixture" in refused(lambda: responsibilities(standard, torch.zeros(3, 2)))


def test_seeds_of_any_size_are_taken():
    for seed in (0, 2**32 - 1, 2**40):
        MixturePrior(num_components=2).build(2, SHAPE).start(torch.rand(9, *SHAPE), around(torch.randn(9, 2)), seed)
        VampPrior(num_components=2).build(2, SHAPE).start(torch.rand(9, *SHAPE), around(torch.randn(9, 2)), seed)
