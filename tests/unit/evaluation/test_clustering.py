"""Criteria and clustering accuracy against formulas, brute force and scikit-learn; `vaelab clusters` on real runs."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import logsumexp
from sklearn.mixture import GaussianMixture

from vaelab.cli import main
from vaelab.distributions.mixture import fit_mixture
from vaelab.errors import InputError
from vaelab.evaluation.clustering import compare_components
from vaelab.metrics.clustering_accuracy import clustering_accuracy
from vaelab.plots import png
from vaelab.plots.criteria import criteria
from vaelab.presets import digits
from vaelab.priors.mixture import MixturePrior
from vaelab.runs import load, train


def blobs(num_blobs=4, each=150, latent_dim=2, seed=0):
    random = np.random.default_rng(seed)
    centers = 8 * np.stack([np.cos(np.arange(num_blobs)), np.sin(np.arange(num_blobs))], 1)
    codes = random.normal(size=(num_blobs, each, latent_dim)) + centers[:, None]
    return codes.reshape(-1, latent_dim).astype(np.float32), np.repeat(np.arange(num_blobs), each)


def test_the_criteria_are_their_formulas():
    codes, _ = blobs()
    table = compare_components(codes, [1, 3, 4], seed=2, covariance_type="diag")
    assert list(table["components"]) == [1, 3, 4]
    for row in table.itertuples():
        k, fitted = row.components, fit_mixture(codes, row.components, seed=2, n_init=3)
        parts = [
            np.log(w) + stats.multivariate_normal(m, np.diag(v)).logpdf(codes)
            for w, m, v in zip(fitted.weights_, fitted.means_, fitted.covariances_, strict=True)
        ]
        log_likelihood = logsumexp(parts, axis=0).sum()
        parameters = k * 2 + k * 2 + k - 1
        assert row.parameters == parameters
        assert row.log_likelihood == pytest.approx(log_likelihood, rel=1e-6)
        assert row.bic == pytest.approx(parameters * np.log(600) - 2 * log_likelihood, rel=1e-6)
        assert row.aic == pytest.approx(parameters * 2 - 2 * log_likelihood, rel=1e-6)


@pytest.mark.parametrize("equal_weights", [False, True])
def test_the_criteria_of_full_covariances_count_their_numbers(equal_weights):
    codes, _ = blobs()
    row = compare_components(codes, [3], seed=2, covariance_type="full", equal_weights=equal_weights).iloc[0]
    fitted = fit_mixture(codes, 3, 2, "full", equal_weights=equal_weights, n_init=3)
    assert row["parameters"] == 3 * (2 + 3) + (0 if equal_weights else 2)
    log_likelihood = fitted.score_samples(codes).sum()
    assert row["log_likelihood"] == pytest.approx(log_likelihood)
    assert row["bic"] == pytest.approx(row["parameters"] * np.log(600) - 2 * log_likelihood)
    assert row["aic"] == pytest.approx(row["parameters"] * 2 - 2 * log_likelihood)


def test_one_component_is_the_gaussian_in_closed_form():
    codes, _ = blobs()
    whole = stats.multivariate_normal(codes.mean(0), np.cov(codes.T, ddof=0)).logpdf(codes).sum()
    assert compare_components(codes, [1])["log_likelihood"].item() == pytest.approx(whole, rel=1e-5)
    log_likelihood = stats.norm(codes.mean(0), codes.std(0)).logpdf(codes).sum()
    table = compare_components(codes, [1], covariance_type="diag")
    assert table["log_likelihood"].item() == pytest.approx(log_likelihood, rel=1e-5)


@pytest.mark.parametrize("num_blobs", [1, 2, 4, 6])
def test_bic_finds_how_many_gaussians_there_are(num_blobs):
    fits = []
    codes, _ = blobs(num_blobs)
    table = compare_components(codes, range(1, 9), on_fit=fits.append)
    assert fits == [1] * 8
    assert table.loc[table["chosen"], "components"].tolist() == [num_blobs]


def test_the_same_seed_gives_the_same_table():
    codes, _ = blobs()
    assert compare_components(codes, [2, 5], seed=3).equals(compare_components(codes, [2, 5], seed=3))


def test_criteria_refuse_more_components_than_codes():
    with pytest.raises(InputError, match="the codes should be at least 5, one for each component, got 4"):
        compare_components(np.random.default_rng(0).normal(size=(4, 2)), [2, 5])


def test_the_picture_is_drawn():
    codes, _ = blobs()
    sheet = criteria(compare_components(codes, range(1, 7)))
    ax = sheet.axes[0]
    assert "4" in {text.get_text() for text in ax.texts}
    assert len(ax.lines[0].get_xdata()) == 6
    assert png(sheet)[:4] == b"\x89PNG"


def by_brute_force(labels, clusters):
    """The best accuracy over every one-to-one map from clusters to labels or to nothing."""
    kinds, found = sorted(set(labels)), sorted(set(clusters))
    targets = [*kinds, *[None] * len(found)]
    return max(
        np.mean([dict(zip(found, choice, strict=True))[c] == k for k, c in zip(labels, clusters, strict=True)])
        for choice in set(itertools.permutations(targets, len(found)))
    )


@pytest.mark.parametrize(("num_kinds", "num_clusters"), [(3, 3), (2, 4), (4, 2), (1, 3), (3, 1)])
def test_accuracy_is_the_best_of_all_maps(num_kinds, num_clusters):
    random = np.random.default_rng(num_kinds + 10 * num_clusters)
    for _ in range(5):
        labels, clusters = random.integers(num_kinds, size=25), random.integers(num_clusters, size=25)
        score = clustering_accuracy(labels, clusters)[0]
        assert score.value == pytest.approx(by_brute_force(labels.tolist(), clusters.tolist()))
        assert score.value <= score.ceiling
        assert score.count == 25


def test_accuracy_does_not_care_for_names_and_order():
    random = np.random.default_rng(0)
    labels, clusters = random.integers(5, size=200), random.integers(4, size=200)
    names = np.array(["d", "a", "e", "c", "b"], object)[labels]
    order = random.permutation(200)
    expected = clustering_accuracy(labels, clusters)[0]
    assert clustering_accuracy(names, 7 - clusters)[0].value == expected.value
    assert clustering_accuracy(labels[order], clusters[order])[0].value == expected.value


def test_perfect_clusters_and_one_cluster():
    labels = np.repeat(["a", "b", "c"], [50, 30, 20])
    perfect = clustering_accuracy(labels, labels)[0]
    assert (perfect.value, perfect.ceiling, perfect.interval) == (1.0, 1.0, (1.0, 1.0))
    one = clustering_accuracy(labels, np.zeros(100))[0]
    assert (one.value, one.ceiling) == (0.5, 0.5)
    assert clustering_accuracy(labels[:1], labels[:1])[0].interval is None


def test_its_interval_is_that_of_images_drawn_again():
    random = np.random.default_rng(0)
    labels = random.integers(4, size=300)
    clusters = np.where(random.random(300) < 0.6, labels, random.integers(5, size=300))
    low, high = clustering_accuracy(labels, 10 + clusters)[0].interval
    correct = labels == clusters  # the best map is the identity
    drawn = correct[random.integers(300, size=(4000, 300))].mean(1)
    expected_low, expected_high = np.quantile(drawn, [0.025, 0.975])
    width = expected_high - expected_low
    assert low == pytest.approx(expected_low, abs=0.1 * width)
    assert high == pytest.approx(expected_high, abs=0.1 * width)


@pytest.mark.parametrize("num_clusters", [1, 3, 12])
def test_its_interval_holds_its_value(num_clusters):
    random = np.random.default_rng(num_clusters)
    score = clustering_accuracy(random.integers(10, size=200), random.integers(num_clusters, size=200))[0]
    assert score.interval[0] < score.value < score.interval[1]


def test_its_interval_covers_the_truth():
    random = np.random.default_rng(1)
    inside = []
    for _ in range(60):
        labels = random.integers(3, size=150)
        right = random.random(150) < 0.8
        clusters = np.where(right, labels, (labels + 1) % 3)
        low, high = clustering_accuracy(labels, clusters)[0].interval
        inside.append(low <= 0.8 <= high)
    assert np.mean(inside) > 0.85


def test_accuracy_refuses_what_it_cannot_count():
    for labels, clusters in (([], []), ([1, 2], [1]), (["a", None], [0, 1]), ([1.0, np.nan], [0, 1])):
        with pytest.raises(InputError):
            clustering_accuracy(np.array(labels), np.array(clusters))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Short runs on digits, one with the standard normal prior and one with a mixture."""
    folder = tmp_path_factory.mktemp("clusters")
    plain = digits()
    quick, still = replace(plain.training, num_steps=150), replace(plain.machine, tune=False, threads=1)
    plain = replace(plain, training=quick, machine=still)
    mixed = replace(plain, model=replace(plain.model, prior=MixturePrior(num_components=10)))
    for name, experiment in (("plain", plain), ("mixed", mixed)):
        train(experiment, folder / name, progress=False)
    return folder


def said(capsys, *argv):
    assert main(["clusters", *map(str, argv), "--quiet"]) == 0
    return capsys.readouterr().out


def refusal(capsys, *argv):
    assert main(["clusters", *map(str, argv), "--quiet"]) == 2
    message = capsys.readouterr().err
    assert len(message.splitlines()) == 1
    return message


def test_the_command_prints_what_scikit_learn_says_of_the_codes(runs, capsys):
    text = said(capsys, runs / "plain", "--components", "3-5", "--num-images", "400", "--covariance-type", "diag")
    run = load(runs / "plain")
    rows = np.sort(np.random.default_rng(0).choice(run.splits.train, 400, replace=False))
    with torch.no_grad():
        codes = run.model.encode(run.feed(rows)).mean.numpy()
    codes = codes[:, codes.var(0) > 0.01]
    assert f"400 training images, {codes.shape[1]} active of 4 latents" in text
    best = {}
    for k in (3, 4, 5):
        fitted = GaussianMixture(k, covariance_type="diag", n_init=3, max_iter=1000, random_state=0).fit(codes)
        line = next(line.split() for line in text.splitlines() if line.split()[:1] == [str(k)])
        numbers = [float(word.replace(",", "")) for word in line[1:4]]
        assert numbers == pytest.approx([fitted.score(codes) * 400, fitted.bic(codes), fitted.aic(codes)], rel=1e-3)
        best[k] = fitted.bic(codes)
    assert f"Best by BIC: {min(best, key=best.__getitem__)} components" in text


def test_the_command_compares_with_a_column(runs, capsys, tmp_path):
    plain = said(capsys, runs / "plain", "--components", "9-10", "--label", "label", "--plot", tmp_path / "c.png")
    mixed = said(capsys, runs / "mixed", "--components", "10", "--label", "label")
    assert (tmp_path / "c.png").read_bytes()[:4] == b"\x89PNG"
    assert "the prior's" not in plain
    assert "test images, 10 kinds of 'label'" in plain
    accuracy = {}
    for line in mixed.splitlines():
        for name in ("all in one cluster", "mixture of 10 on the codes", "the prior's 10 components"):
            if line.strip().startswith(name):
                accuracy[name] = float(line.split(name)[1].split()[0])
    run = load(runs / "mixed")
    with torch.no_grad():
        z = run.model.encode(run.feed(run.splits.test)).mean
        p = run.model.prior
        joint = p.component_distribution.log_prob(z[:, None]) + p.mixture_distribution.probs.log()
    labels = run.dataset.collection.table["label"].to_numpy()[run.splits.test]
    expected = clustering_accuracy(labels, joint.argmax(1).numpy())[0]
    assert accuracy["the prior's 10 components"] == pytest.approx(expected.value, abs=1e-4)
    assert accuracy["all in one cluster"] < 0.2 < accuracy["mixture of 10 on the codes"]


def test_the_command_refuses_in_one_sentence(runs, capsys, tmp_path):
    for text in ("0-5", "5-2", "x", "2-", "-3", "1.5", ""):
        assert "should be a range such as 2-20" in refusal(capsys, runs / "plain", f"--components={text}")
    assert "did you mean label?" in refusal(capsys, runs / "plain", "--label", "labl")
    assert "at most the number of training images" in refusal(capsys, runs / "plain", "--components", "99999")
    assert "--num-images should be at least 1" in refusal(capsys, runs / "plain", "--num-images", "0")
    assert "--plot should end in .png" in refusal(capsys, runs / "plain", "--plot", "x.pdf")
    one = refusal(capsys, runs / "plain", "--components", "7", "--plot", "x.png")
    assert "should be a range such as 2-20 where --plot is given, got 7." in one
    assert "be the folder of a run" in refusal(capsys, tmp_path)
