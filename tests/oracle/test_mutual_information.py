"""Bounds on mutual information and the metric, against truths in closed form and expectations by enumeration."""

from __future__ import annotations

from itertools import product
from math import exp, log

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from scipy.stats import norm
from torch import Tensor

from benchmarks import mutual_information as benchmark
from vaelab.bounds import Estimator, Scores
from vaelab.bounds.donsker_varadhan import DonskerVaradhan
from vaelab.bounds.info_nce import InfoNCE
from vaelab.bounds.interpolated import Interpolated
from vaelab.bounds.nwj import NWJ
from vaelab.bounds.smile import Smile
from vaelab.critics.separable import SeparableCritic
from vaelab.evaluation import evaluate
from vaelab.metrics.mutual_information import mutual_information
from vaelab.models import VAEConfig

JOINT = torch.tensor([[0.30, 0.02, 0.05], [0.01, 0.20, 0.04], [0.06, 0.02, 0.30]], dtype=torch.float64)
"""p(a, b) of two letters."""
INDEPENDENT = JOINT.sum(1, keepdim=True) * JOINT.sum(0, keepdim=True)
LOG_RATIO = (JOINT / INDEPENDENT).log()
INFORMATION = (JOINT * LOG_RATIO).sum().item()
COUNTS = (100 * JOINT).round().long()


def expectation(estimator: Estimator, critic: Tensor, negatives: int) -> Tensor:
    """Of the value for one pair with so many negatives, over every way that the letters can fall."""
    ways = torch.tensor(list(product(range(3), repeat=2 + negatives)))
    a, b, others = ways[:, 0], ways[:, 1], ways[:, 2:]
    chances = JOINT[a, b] * JOINT.sum(0)[others].prod(1)
    values = torch.vmap(lambda t, rest: estimator(Scores(t[None], rest[None])))(
        critic[a, b], critic[a[:, None], others]
    )
    return chances @ values


@pytest.mark.parametrize("negatives", [1, 2, 3])
@pytest.mark.parametrize("bound", [NWJ(), InfoNCE(), Interpolated(), Interpolated(alpha=0.9)], ids=repr)
def test_no_critic_makes_a_bound_exceed_the_truth_on_average(bound, negatives):
    torch.manual_seed(0)
    for scale in (0.3, 1.0, 3.0):
        assert expectation(bound.build(), scale * torch.randn(3, 3, dtype=torch.float64), negatives) <= INFORMATION
    critic = LOG_RATIO.clone().requires_grad_()
    optimizer = torch.optim.Adam([critic], lr=0.05)
    for _ in range(40):
        optimizer.zero_grad()
        best = expectation(bound.build(), critic, negatives)
        (-best).backward()
        optimizer.step()
    assert 0 < best.item() <= INFORMATION
    assert best.item() <= bound.ceiling(negatives)


def test_nwj_at_the_best_critic_is_the_truth():
    assert expectation(NWJ().build(), 1 + LOG_RATIO, 1).item() == pytest.approx(INFORMATION, abs=1e-12)


def test_interpolated_lies_between_nwj_and_info_nce():
    """At the log ratio: alpha near 0 is NWJ, alpha near 1 is InfoNCE with one negative fewer."""
    low, high = (expectation(Interpolated(alpha=alpha).build(), LOG_RATIO, 3).item() for alpha in (1e-9, 1 - 1e-9))
    assert low == pytest.approx(expectation(NWJ().build(), 1 + LOG_RATIO, 3).item(), abs=1e-6)
    assert high == pytest.approx(expectation(InfoNCE().build(), LOG_RATIO, 2).item(), abs=1e-6)


def test_interpolated_term_by_term():
    """Every normaliser written out."""
    torch.manual_seed(0)
    joint, marginal = torch.randn(4, dtype=torch.float64), torch.randn(4, 3, dtype=torch.float64)
    alpha, found = 0.2, 0.0
    for t, (first, second, third) in zip(joint.exp().tolist(), marginal.exp().tolist(), strict=True):
        of_pair = alpha * (t + second + third) / 3 + 1 - alpha
        of_others = alpha * (first + second + third) / 3 + 1 - alpha
        found += 1 + log(t / of_pair) - (first + second + third) / 3 / of_others
    value = Interpolated(alpha=alpha).build()(Scores(joint, marginal))
    assert value.item() == pytest.approx(found / 4, abs=1e-12)


def test_interpolated_can_pass_what_the_paper_calls_its_ceiling():
    """Log(m / alpha) is passed by up to one nat, where marginal scores are very low: here on average over all draws."""
    size, bound = 1000, Interpolated(alpha=0.5)
    same, other = torch.tensor([40.0], dtype=torch.float64), torch.tensor([-40.0], dtype=torch.float64)
    distinct = bound.build()(Scores(same, other[None]))
    collision = bound.build()(Scores(same, same[None]))
    mean = (1 - 1 / size) * distinct + collision / size
    assert log(1 / 0.5) + 0.99 < mean.item() < bound.ceiling(1) < log(size)


def gaussian_scores(truth: float, pairs: int, extra: float = 0.0) -> Scores:
    """Scores by the log ratio itself, in 20 dimensions, of every pair with every other."""
    torch.manual_seed(0)
    rho = (1 - exp(-truth / 10)) ** 0.5
    a = torch.randn(pairs, 20, dtype=torch.float64)
    b = rho * a + (1 - rho**2) ** 0.5 * torch.randn(pairs, 20, dtype=torch.float64)
    squares = (rho * a).square().sum(1)[:, None] - 2 * rho * a @ b.T + (rho * b).square().sum(1)
    ratios = truth + extra - squares / (2 * (1 - rho**2))
    return Scores(ratios.diagonal(), ratios[~torch.eye(pairs, dtype=torch.bool)].view(pairs, pairs - 1))


@pytest.mark.parametrize(
    ("bound", "extra", "tolerance"),
    [
        (DonskerVaradhan(), 0.0, 0.06),
        (DonskerVaradhan(), 7.0, 0.06),
        (NWJ(), 1.0, 0.06),
        (InfoNCE(), 0.0, 0.06),
        (Smile(clip=20.0), 0.0, 0.06),
        (Interpolated(), 0.0, 0.06),
    ],
    ids=repr,
)
def test_with_the_best_critic_and_many_pairs_every_bound_finds_2_nats_in_20_dimensions(bound, extra, tolerance):
    assert bound.build()(gaussian_scores(2.0, 2000, extra)).item() == pytest.approx(2, abs=tolerance)


def test_with_the_best_critic_and_few_negatives_info_nce_stops_at_its_ceiling():
    joint, marginal = gaussian_scores(10.0, 500)
    for negatives in (1, 7, 31):
        value = InfoNCE().build()(Scores(joint, marginal[:, :negatives])).item()
        assert log(1 + negatives) - 0.15 < value <= log(1 + negatives)
        assert value < Interpolated().build()(Scores(joint, marginal[:, :negatives])).item() <= 10.5


def test_smile_clips_the_value_and_trains_by_the_jensen_shannon_objective():
    joint, marginal = torch.tensor([3.0, 1.0]), torch.tensor([[9.0, -8.0], [0.5, -2.0]], requires_grad=True)
    estimator = Smile(clip=2.0).build()
    clipped = np.exp([2.0, -2.0, 0.5, -2.0]).mean()
    assert estimator(Scores(joint, marginal)).item() == pytest.approx(2 - log(clipped), abs=1e-6)
    (gradient,) = torch.autograd.grad(estimator.surrogate(Scores(joint, marginal)), marginal)
    torch.testing.assert_close(gradient, -marginal.detach().sigmoid() / 4)


def test_smiles_surrogate_is_highest_at_the_log_ratio():
    """Letters in 100 pairs as often as is expected, joint and apart: the gradient vanishes."""
    critic = LOG_RATIO.clone().requires_grad_()
    joint = critic.flatten().repeat_interleave(COUNTS.flatten())
    apart = (COUNTS.sum(1, keepdim=True) * COUNTS.sum(0, keepdim=True)).flatten()
    marginal = critic.flatten().repeat_interleave(apart).view(len(joint), -1)
    (gradient,) = torch.autograd.grad(Smile().build().surrogate(Scores(joint, marginal)), critic)
    torch.testing.assert_close(gradient, torch.zeros(3, 3, dtype=torch.float64))


def test_smile_is_no_bound():
    """Clipping at 0 nats takes away all that the marginal scores said."""
    value = (JOINT * (LOG_RATIO + 3)).sum() - (INDEPENDENT * (LOG_RATIO + 3).clamp(-0.1, 0.1).exp()).sum().log()
    assert value.item() > INFORMATION + 1


def test_donsker_varadhan_divides_by_a_moving_average_that_begins_with_the_first_batch():
    torch.manual_seed(0)
    estimator, average = DonskerVaradhan(moving_average_rate=0.2).build().double(), None
    for _ in range(6):
        joint, marginal = torch.randn(4, dtype=torch.float64), 3 * torch.randn(4, 2, dtype=torch.float64)
        marginal.requires_grad_()
        now = marginal.detach().exp().mean()
        average = now if average is None else 0.8 * average + 0.2 * now
        (gradient,) = torch.autograd.grad(estimator.surrogate(Scores(joint, marginal)), marginal)
        torch.testing.assert_close(gradient, -marginal.detach().exp() / 8 / average)
        torch.testing.assert_close(estimator.log_average.exp(), average)
    assert "log_average" in estimator.state_dict()


def test_the_moving_average_takes_bias_out_of_the_donsker_varadhan_gradient():
    """T = theta s with s ~ N(0, 1) on the marginal: d/dtheta log E[exp T] = theta; a batch of 4 finds far less."""
    torch.manual_seed(0)
    joint = torch.zeros(2)
    corrected, plain = DonskerVaradhan(moving_average_rate=0.01).build(), DonskerVaradhan().build()
    found = {"corrected": [], "plain": []}
    for step in range(3000):
        theta = torch.ones((), requires_grad=True)
        scores = Scores(joint, theta * torch.randn(2, 2))
        values = {"corrected": corrected.surrogate(scores), "plain": plain(scores)}
        for name, value in values.items():
            (gradient,) = torch.autograd.grad(value, theta, retain_graph=True)
            if step >= 500:
                found[name].append(-gradient.item())
    bias = {name: abs(np.mean(gradients) - 1) for name, gradients in found.items()}
    assert bias["plain"] > 0.25
    assert bias["corrected"] < bias["plain"] / 3


def test_at_rate_1_the_gradient_is_that_of_the_bound():
    torch.manual_seed(0)
    estimator = DonskerVaradhan(moving_average_rate=1.0).build()
    for _ in range(3):
        scores = Scores(torch.randn(4), torch.randn(4, 2).requires_grad_())
        (surrogate,) = torch.autograd.grad(estimator.surrogate(scores), scores.marginal)
        (bound,) = torch.autograd.grad(estimator(scores), scores.marginal)
        torch.testing.assert_close(surrogate, bound)


NEAR_2 = {DonskerVaradhan(): 0.45, NWJ(): 0.55, InfoNCE(): 0.45, Smile(): 0.45, Interpolated(): 0.45}
"""How far below 2 nats each may be after 600 steps."""


@pytest.mark.parametrize(("bound", "tolerance"), NEAR_2.items(), ids=repr)
def test_a_critic_trained_for_seconds_comes_near_2_nats(bound, tolerance):
    found = benchmark.row(bound, SeparableCritic(hidden=(256,), embedding_dim=32), 2.0, num_steps=600, num_batches=100)
    assert -tolerance < found["bias"] < 0.1
    assert found["std"] < 0.35


NEAR_6 = [
    (DonskerVaradhan(), -1.7, 0.1),
    (NWJ(), -3.2, 0.1),
    (InfoNCE(), -2.7, log(64) - 6),
    (Smile(), -0.6, 0.6),
    (Interpolated(), -1.5, 0.0),
]
"""Lowest and highest bias after 2,500 steps of the benchmark's critic: what its table shows, with room for chance."""


@pytest.mark.slow
@pytest.mark.parametrize(("bound", "lowest", "highest"), NEAR_6, ids=repr)
def test_a_critic_trained_as_in_the_benchmark_does_so_well_at_6_nats(bound, lowest, highest):
    found = benchmark.row(bound, SeparableCritic(hidden=(256, 256), embedding_dim=32), 6.0, num_steps=2500)
    assert lowest < found["bias"] < highest


def channel(count: int, latent_dim: int, truth: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Posteriors N(x, noise^2) of x ~ N(0, I): I = (d / 2) log(1 + 1 / noise^2)."""
    noise = np.exp(2 * truth / latent_dim) - 1
    loc = np.random.default_rng(seed).standard_normal((count, latent_dim)).astype(np.float32)
    return loc, np.full_like(loc, noise**-0.5)


@pytest.mark.parametrize(("truth", "tolerance"), [(0.0001, 0.01), (2, 0.06), (5, 0.1), (8, 0.2), (10, 0.4)])
@pytest.mark.parametrize("latent_dim", [2, 20])
def test_the_metric_finds_the_information_of_a_linear_channel(truth, latent_dim, tolerance):
    score = mutual_information(*channel(4000, latent_dim, truth))[0]
    assert truth - tolerance < score.value < truth + 0.06
    assert score.interval[0] < score.value < score.interval[1] <= score.ceiling
    assert score.ceiling == pytest.approx(1 + log(1999 / 0.01))
    assert score.count == 4000


def test_the_metric_stops_at_its_ceiling():
    score = mutual_information(*channel(1000, 10, 200.0))[0]
    assert score.value == pytest.approx(score.ceiling, abs=1e-3)


def test_the_metric_finds_the_letters_of_an_alphabet():
    """Codes that overlap in no two of 30 letters: log 30 nats, although no normal distribution is near them."""
    random = np.random.default_rng(0)
    loc = np.array(list(product(range(5), range(6))))[random.permutation(np.repeat(np.arange(30), 60))] * 20.0
    score = mutual_information(loc, np.ones_like(loc))[0]
    assert score.value == pytest.approx(log(30), abs=0.03)


def test_the_metrics_densities_are_those_of_scipy():
    """With 5 images every mean is written out; alpha and level as found."""
    from vaelab.metrics import mutual_information as module

    random = np.random.default_rng(0)
    means, scales, draws = random.normal(size=(5, 3)), random.uniform(0.2, 2, (5, 3)), random.normal(size=(5, 3))
    found = module._densities(draws, means, scales)
    for i in range(5):
        logs = [norm.logpdf(draws[i], means[j], scales[j]).sum() for j in range(5)]
        others = [logs[j] for j in range(5) if j != i]
        kept = [logs[j] for j in range(5) if j not in (i, (i + 1) % 5)]
        assert found.own[i] == pytest.approx(logs[i])
        assert found.without_own[i] == pytest.approx(logsumexp(others) - log(4))
        assert found.with_own[i] == pytest.approx(logsumexp([logs[i], *kept]) - log(4))


def test_the_metric_is_the_bound_of_the_same_name():
    """By alpha: those of `Interpolated`, or of `InfoNCE` with one negative fewer, on the scores log q - log s."""
    from vaelab.metrics import mutual_information as module

    random = np.random.default_rng(0)
    means, scales, draws = random.normal(size=(6, 2)), random.uniform(0.5, 2, (6, 2)), random.normal(size=(6, 2))
    baseline = random.normal(size=6)
    logs = norm.logpdf(draws[:, None], means, scales).sum(2) - baseline[:, None]
    orders = [[(i + 1 + k) % 6 for k in range(5)] for i in range(6)]
    marginal = np.stack([logs[i, order] for i, order in enumerate(orders)])
    scores = Scores(torch.from_numpy(logs.diagonal().copy()), torch.from_numpy(marginal))
    values = module._values(module._densities(draws, means, scales), baseline, 0.1)
    assert values.mean() == pytest.approx(Interpolated(alpha=0.1).build()(scores).item(), abs=1e-12)
    contrast = module._values(module._densities(draws, means, scales), baseline, 1.0)
    fewer = Scores(scores.joint, scores.marginal[:, 1:])
    assert contrast.mean() == pytest.approx(InfoNCE().build()(fewer).item(), abs=1e-12)


def test_the_metric_takes_any_number_of_images():
    for count in (1, 2, 3):
        score = mutual_information(np.ones((count, 2)), np.ones((count, 2)))[0]
        assert (score.value, score.ceiling, score.count) == (0, 0, count)
    assert mutual_information(*channel(4, 2, 1.0))[0].value <= 1 + log(1 / 0.01)
    many = mutual_information(*channel(10_500, 2, 3.0))[0]
    assert many.count == 10_000
    assert many.value == pytest.approx(3, abs=0.06)


def test_the_metric_gives_no_number_for_posteriors_that_are_none():
    loc, scale = channel(20, 2, 1.0)
    loc[3, 1] = np.inf
    assert np.isnan(mutual_information(loc, scale)[0].value)
    assert np.isnan(mutual_information(np.zeros_like(loc), np.zeros_like(scale))[0].value)


def test_the_metric_is_among_those_of_a_model_and_below_its_rate():
    torch.manual_seed(0)
    vae = VAEConfig(latent_dim=3).build((1, 8, 8))
    measures = evaluate(vae, torch.rand(400, 1, 8, 8).round(), num_samples=2)
    score = measures.score("mutual_information")
    assert score.unit == "nats per image"
    assert score.interval[0] < measures.score("rate").value
