"""A report says what the numbers say, holds all it needs, and warns of what a reader must know."""

from __future__ import annotations

import itertools
import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from vaelab.report.components import draw_components
from vaelab.report.how_made import settings
from vaelab.report.kind import kind_of
from vaelab.report.labels import label_column, labels_of

from vaelab.data import Data, Split
from vaelab.data.sources.npz import NpzSource
from vaelab.errors import InputError
from vaelab.evaluation import Score, evaluate
from vaelab.experiment import Experiment
from vaelab.inference import reconstruct, sample
from vaelab.likelihoods.grey_bernoulli import GreyBernoulliLikelihood
from vaelab.models import Model, TwoStageConfig, VAEConfig, local_randomness
from vaelab.networks.mlp import MLPDecoder, MLPEncoder
from vaelab.objectives.elbo import ELBO
from vaelab.objectives.two_stage import TwoStageObjective
from vaelab.penalties.mutual_information import MutualInformation
from vaelab.plots import Classes, curve
from vaelab.presets import preset
from vaelab.priors.mixture import MixturePrior
from vaelab.priors.vamp import VampPrior
from vaelab.report import gather, render, write_report
from vaelab.report.cautions import warnings
from vaelab.report.words import duration, interval_of, kept_step, number, still_improving, value_of
from vaelab.runs import Run, load, train


def quick(experiment: Experiment, num_steps: int = 120) -> Experiment:
    training = replace(experiment.training, num_steps=num_steps, validate_every=20, log_every=10, tune=False)
    return replace(experiment, training=training)


@pytest.fixture(scope="module")
def digits(tmp_path_factory) -> Run:
    """Scikit-learn's digits, hardly trained."""
    return train(quick(preset("digits")), tmp_path_factory.mktemp("runs") / "digits", progress=False)


@pytest.fixture(scope="module")
def written(digits) -> Path:
    return write_report(digits, num_samples=8)


@pytest.fixture(scope="module")
def evidence(digits):
    return gather(digits, num_samples=8)


class Page(HTMLParser):
    """What stands in a page: tags with attributes, and its text."""

    def __init__(self, html: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def of(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]


def test_the_page_holds_all_it_needs(written):
    html = written.read_text()
    page = Page(html)
    assert page.of("img")
    assert all(image.get("src", "data:").startswith("data:image/png;base64,") for image in page.of("img")[:-1])
    assert [link["href"] for link in page.of("link")] == ["data:,"]
    assert "@import" not in html
    assert not re.search(r"url\((?!#)", html)
    assert all("src" not in script for script in page.of("script"))
    policy = next(meta["content"] for meta in page.of("meta") if meta.get("http-equiv"))
    assert policy.startswith("default-src 'none'; img-src data:;")


def test_the_page_can_be_read_without_eyes(written):
    page = Page(written.read_text())
    assert page.of("html")[0]["lang"] == "en"
    assert all(image.get("alt") for image in page.of("img")[:-1])
    drawings = [a for tag, a in page.tags if a.get("role") == "img"]
    assert len(drawings) == len(page.of("svg")) > 4
    assert all(drawing["aria-label"] for drawing in drawings)
    levels = [int(tag[1]) for tag, _ in page.tags if tag in ("h1", "h2", "h3", "h4")]
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    named = [a["id"] for tag, a in page.tags if tag == "section"]
    assert [link["href"] for link in page.of("a") if link["href"].startswith("#")][1:] == [f"#{name}" for name in named]
    assert len(page.of("table")) == len(page.of("caption"))


def test_the_numbers_are_those_of_the_measures(digits, written):
    x = digits.feed(digits.splits.test)
    some = np.sort(np.random.default_rng(0).permutation(digits.splits.train)[:5000])
    batches = digits.feed.batches(some)
    own = evaluate(digits.model, x, num_samples=8, channels=digits.channels, training_images=batches)
    beside = json.loads(written.with_name("metrics.json").read_text())
    assert beside["num_images"] == len(digits.splits.test)
    assert (beside["split"], beside["num_samples"]) == ("test", 8)
    for name, score in own.scores.items():
        assert beside["scores"][name]["value"] == pytest.approx(score.value, rel=1e-5), name
    text = Page(written.read_text()).text
    for name in ("elbo", "log_likelihood", "rate", "mse"):
        assert value_of(own.scores[name]) in text
        assert interval_of(own.scores[name]) in text


def test_every_image_has_its_line(digits, written):
    table = pd.read_csv(written.with_name("per_image.csv"))
    assert table["row"].tolist() == digits.splits.test.tolist()
    assert table["label"].tolist() == digits.dataset.collection.table["label"].iloc[digits.splits.test].tolist()
    beside = json.loads(written.with_name("metrics.json").read_text())
    assert table["elbo"].mean() == pytest.approx(beside["scores"]["elbo"]["value"], rel=1e-6)


def test_the_pictures_are_the_images_and_their_reconstructions(digits, evidence):
    for pairs in (evidence.pairs, evidence.worst, evidence.best):
        x = digits.feed(pairs.rows)
        np.testing.assert_array_equal(pairs.originals, x.numpy())
        np.testing.assert_allclose(pairs.reconstructions, reconstruct(digits.model, x), atol=1e-6)
    fits = evidence.per_image.set_index("row")["fit"]
    assert evidence.worst.fits.tolist() == sorted(fits)[: len(evidence.worst.fits)]
    assert evidence.best.fits.tolist() == sorted(fits, reverse=True)[: len(evidence.best.fits)]
    np.testing.assert_array_equal(evidence.worst.fits, fits.loc[evidence.worst.rows])


def test_the_plane_is_that_of_principal_components(digits, evidence):
    from sklearn.decomposition import PCA

    loc = evidence.measures.embedding.loc
    pca = PCA(2).fit(loc)
    np.testing.assert_allclose(np.abs(evidence.plane.points), np.abs(pca.transform(loc)), atol=1e-3)
    shares = [f"{share:.0%}" for share in pca.explained_variance_ratio_]
    assert [axis.split("(")[1][:-1] for axis in evidence.plane.axes] == shares
    assert isinstance(evidence.plane.labels, Classes)
    labels = digits.dataset.collection.table["label"].iloc[digits.splits.test].astype(str)
    assert [evidence.plane.labels.names[code] for code in evidence.plane.labels.codes] == labels.tolist()


def test_traversals_go_by_falling_rate_over_the_central_95_percent(evidence):
    rates = evidence.measures.latent_rates[evidence.walks.latents]
    assert (np.diff(rates) <= 0).all()
    assert evidence.walks.values.shape[1] == 15
    low = evidence.measures.embedding.aggregate_quantile(0.025)[evidence.walks.latents]
    np.testing.assert_allclose(evidence.walks.values[:, 0], low, rtol=1e-5)


def test_the_same_seed_gives_the_same_report(digits, evidence):
    again = replace(gather(digits, num_samples=8), seconds=evidence.seconds)
    assert render(again) == render(evidence)


def test_every_setting_stands_in_the_report(digits, written):
    text = Page(written.read_text()).text
    listed = {row[0].replace("<wbr>", "") for row in settings(digits.experiment)}
    for name in ("data.split.stratify", "model.latent_dim", "model.encoder.hidden", "training.batch_size", "seed"):
        assert f"<code>{name}</code>" in listed
        assert name in text
    assert digits.facts.content_hash in text
    assert torch.__version__ in text


def test_fewer_images_are_a_random_draw_and_it_says_so(digits):
    some = gather(digits, num_samples=2, max_images=30)
    assert len(some.per_image) == 30
    assert set(some.per_image["row"]) < set(digits.splits.test.tolist())
    assert "a random draw of 30 of the 359 images" in render(some)


def test_a_folder_and_a_file_can_be_named(digits, tmp_path):
    assert write_report(digits, tmp_path, num_samples=1, max_images=20) == tmp_path / "report.html"
    assert write_report(digits, tmp_path / "a.html", num_samples=1, max_images=20) == tmp_path / "a.html"
    assert {path.name for path in tmp_path.iterdir()} == {"report.html", "a.html", "metrics.json", "per_image.csv"}


def test_what_cannot_be_is_refused_in_one_sentence(digits, tmp_path):
    with pytest.raises(InputError, match="should be a folder, got nothing there"):
        write_report(digits, tmp_path / "none" / "report.html")
    with pytest.raises(InputError, match=r"report\.max_images should be at least 1, got 0"):
        write_report(digits, tmp_path, max_images=0)
    with pytest.raises(InputError, match=r"report\.num_samples should be at least 1, got -3"):
        write_report(digits, tmp_path, num_samples=-3)
    (tmp_path / "taken.html").mkdir()
    (tmp_path / "taken.html" / "report.html").mkdir()
    with pytest.raises(InputError, match="should be a file that can be written"):
        write_report(digits, tmp_path / "taken.html", num_samples=1, max_images=20)
    assert not list(tmp_path.rglob("*.part"))


NASTY = '<script>alert("1")</script>'


@pytest.fixture(scope="module")
def five_channels(tmp_path_factory) -> Run:
    """Five channels with names and labels that are HTML, odd sides, no test split, a collapsed model."""
    folder = tmp_path_factory.mktemp("five")
    rng = np.random.default_rng(0)
    images = rng.integers(0, 60, (120, 5, 9, 12), np.uint8)
    labels = np.array([NASTY, "b & c"])[np.arange(120) % 2]
    channels = np.array(["DNA", NASTY, "er", "golgi", "mito"])
    np.savez(folder / "cells.npz", images=images, label=labels, channels=channels)
    experiment = Experiment(
        name="five",
        data=Data(source=NpzSource(path=str(folder / "cells.npz"), layout="channels_first"), split=Split(test=0)),
        model=VAEConfig(
            latent_dim=1,
            encoder=MLPEncoder(hidden=(16,)),
            decoder=MLPDecoder(hidden=(16,)),
            likelihood=GreyBernoulliLikelihood(),
        ),
        objective=ELBO(rate_weight=1000.0),
        training=preset("digits").training,
    )
    return train(quick(experiment, 60), folder / "run", progress=False)


def test_whatever_a_user_names_is_escaped(five_channels):
    html = render(gather(five_channels, num_samples=2))
    assert NASTY not in html
    assert "&lt;script&gt;" in html
    assert len(Page(html).of("script")) == 1


def test_five_channels_are_shown_together_and_alone(five_channels):
    text = Page(render(gather(five_channels, num_samples=2))).text
    assert "Each of the 5 channels alone" in text
    assert "Which latent moves which channel" in text
    assert "full brightness is 0.24" in text


def test_the_reader_is_warned(five_channels):
    evidence = gather(five_channels, num_samples=2)
    assert evidence.split == "validation"
    said = dict(warnings(evidence))
    assert {"Posterior collapse", "Measured on validation images", "Few held-out images"} <= set(said)
    assert "The likelihood is not normalised" in said
    text = Page(render(evidence)).text
    assert all(sentence in text for sentence in said.values())


def test_a_healthy_run_is_not_warned_of_collapse(evidence):
    assert "Posterior collapse" not in dict(warnings(evidence))


def test_files_left_out_are_listed(evidence):
    some = replace(evidence, left_out=(("a/b.png", "truncated"), ("c.tif", "zero bytes")))
    text = Page(render(some)).text
    assert "2 files left out" in text
    assert "a/b.png" in text
    assert "zero bytes" in text


def test_an_unfinished_run_says_so(evidence):
    assert "Not trained to the end" in dict(warnings(replace(evidence, planned_steps=10_000)))


def test_a_run_without_metrics_has_a_report(digits, tmp_path, monkeypatch):
    monkeypatch.setattr(Run, "metrics", lambda self: pd.read_csv(tmp_path / "none.csv"))
    assert "no curves" in Page(render(gather(digits, num_samples=1, max_images=20))).text


def test_global_random_numbers_are_left_alone(digits):
    with local_randomness(3, torch.device("cpu")):
        before = torch.get_rng_state()
        gather(digits, num_samples=1, max_images=20)
        assert torch.equal(torch.get_rng_state(), before)


def test_a_loaded_run_gives_the_same_numbers(digits, evidence):
    again = gather(load(digits.folder), num_samples=8)
    assert again.measures.scores["elbo"].value == evidence.measures.scores["elbo"].value


@pytest.fixture(scope="module")
def cells(tmp_path_factory) -> Run:
    """Three kinds of images at a dose; two stages with critics, the second with a mixture prior."""
    folder = tmp_path_factory.mktemp("cells")
    rng = np.random.default_rng(0)
    kinds, doses = rng.integers(0, 3, 300), rng.uniform(0, 3, 300).astype(np.float32)
    images = rng.integers(0, 40, (300, 2, 8, 8), np.uint8)
    for image, kind, dose in zip(images, kinds, doses, strict=True):
        image[:, 2 * kind : 2 * kind + 3, 1 : 3 + int(dose)] += 150
    moa = np.array(["DMSO", "taxol", NASTY])[kinds]
    np.savez(folder / "cells.npz", images=images, moa=moa, dose=doses, channels=np.array(["DNA", "actin"]))
    networks = {"encoder": MLPEncoder(hidden=(32,)), "decoder": MLPDecoder(hidden=(32,))}
    first = VAEConfig(latent_dim=6, likelihood=GreyBernoulliLikelihood(), **networks)
    info_max = ELBO(penalties=(MutualInformation(),))
    experiment = Experiment(
        name="cells",
        data=Data(source=NpzSource(path=str(folder / "cells.npz"), layout="channels_first"), condition=("moa", "dose")),
        model=TwoStageConfig(first=first, second=replace(first, latent_dim=2, prior=MixturePrior(num_components=3))),
        objective=TwoStageObjective(first=info_max, second=info_max, first_alone_steps=60),
        training=preset("digits").training,
    )
    return train(quick(experiment, 200), folder / "run", progress=False)


@pytest.fixture(scope="module")
def cells_evidence(cells):
    return gather(cells, num_samples=4)


def test_a_report_of_the_first_stage_alone_measures_that_stage(cells, cells_evidence):
    alone = gather(cells.at_stage("first"), num_samples=4)
    assert alone.latent_dim == 6
    assert alone.first is None
    for name in ("mse", "rate", "active_units"):
        assert alone.measures.scores[name].value == pytest.approx(cells_evidence.first.scores[name].value, rel=1e-5)
    assert "6 latents" in Page(render(alone)).text


def condition_of(run: Run, rows: np.ndarray, moa: str | None = None, dose: float | None = None) -> torch.Tensor:
    """(image, number): kind one-hot and dose in standard deviations, by hand."""
    table = run.dataset.collection.table
    kinds = table["moa"].iloc[rows] if moa is None else [moa] * len(rows)
    doses = table["dose"].to_numpy(np.float64)
    train_doses = doses[run.splits.train]
    scaled = ((doses[rows] if dose is None else np.full(len(rows), dose)) - train_doses.mean()) / train_doses.std()
    hot = np.array([[kind == name for name in sorted(set(table["moa"]))] for kind in kinds], float)
    return torch.from_numpy(np.column_stack([hot, scaled]).astype(np.float32))


@torch.no_grad()
def drawn_by(model: Model, x: torch.Tensor) -> np.ndarray:
    return model.decode(model.encode(x).mean).mean.numpy()


def test_every_stage_is_shown_under_the_images_own_conditions(cells, cells_evidence):
    for pairs in (cells_evidence.pairs, cells_evidence.worst, cells_evidence.best):
        x = cells.feed(pairs.rows)
        model = cells.model.given(condition_of(cells, pairs.rows))
        np.testing.assert_array_equal(pairs.originals, x.numpy())
        np.testing.assert_allclose(pairs.reconstructions, drawn_by(model, x), atol=1e-5)
        np.testing.assert_allclose(pairs.first, drawn_by(model.first, x), atol=1e-5)
        others = cells.model.given(condition_of(cells, pairs.rows).roll(1, 0))
        assert np.abs(pairs.reconstructions - drawn_by(others, x)).max() > 0.01
        assert np.abs(pairs.first - pairs.reconstructions).max() > 0.01


def test_the_stages_are_measured_on_the_same_images(cells, cells_evidence):
    rows = cells_evidence.per_image["row"].to_numpy()
    x = cells.feed(rows)
    model = cells.model.given(condition_of(cells, rows))
    page = Page(render(cells_evidence)).text
    for stage, own in (("first stage", model.first), ("second stage", model)):
        scores = cells_evidence.stages[stage].scores
        errors = ((drawn_by(own, x) - x.numpy()) ** 2).mean(axis=(0, 2, 3))
        found = [scores[f"mse/{channel}"].value for channel in ("DNA", "actin")]
        np.testing.assert_allclose(found, errors, rtol=1e-4)
        for name in ("rate", "mutual_information", "mse", "mse/actin"):
            assert value_of(scores[name]) in page
    assert "First stage, 6 latents" in page
    assert "Second stage, 2 latents" in page


def test_codes_are_decoded_under_every_category_the_dose_kept(cells, cells_evidence):
    swaps, rows = cells_evidence.swaps, cells_evidence.pairs.rows[:6]
    assert swaps.column == "moa"
    assert swaps.categories == tuple(sorted(["DMSO", "taxol", NASTY]))
    assert swaps.own == tuple(cells.dataset.collection.table["moa"].iloc[rows])
    np.testing.assert_array_equal(swaps.originals, cells.feed(rows).numpy())
    with torch.no_grad():
        z = cells.model.given(condition_of(cells, rows)).encode(cells.feed(rows)).mean
        for place, category in enumerate(swaps.categories):
            under = cells.model.given(condition_of(cells, rows, moa=category))
            np.testing.assert_allclose(swaps.images[:, place], under.decode(z).mean.numpy(), atol=1e-5)
    same = np.abs(swaps.images[:, 0] - swaps.images[:, 1]).max(axis=(1, 2, 3))
    assert (same > 1e-3).all()
    assert (np.abs(swaps.samples[:, 0] - swaps.samples[:, 1]).max(axis=(1, 2, 3)) > 1e-3).all()
    assert swaps.samples.shape == (4, 3, 2, 8, 8)


def test_samples_have_the_conditions_of_the_real_images_beside_them(cells, cells_evidence):
    real = cells.feed(cells.splits.test).numpy()
    places = [int(np.flatnonzero((real == image).all(axis=(1, 2, 3)))[0]) for image in cells_evidence.real]
    condition = condition_of(cells, cells.splits.test[places])
    expected = sample(cells.model.given(condition), len(places), seed=0)
    np.testing.assert_allclose(cells_evidence.samples, expected, atol=1e-5)
    assert np.abs(expected - sample(cells.model.given(condition.roll(1, 0)), len(places), seed=0)).max() > 0.01


def test_traversals_are_decoded_under_the_usual_condition(cells, cells_evidence):
    table = cells.dataset.collection.table.iloc[cells.splits.train]
    kind, dose = table["moa"].value_counts().index[0], float(table["dose"].astype(float).mean())
    walks = cells_evidence.walks
    z = np.tile(walks.held, (15, 1))
    z[:, walks.latents[0]] = walks.values[0]
    fixed = cells.model.given(condition_of(cells, np.array([0]), moa=kind, dose=dose))
    with torch.no_grad():
        np.testing.assert_allclose(walks.images[0], fixed.decode(torch.from_numpy(z)).mean.numpy(), atol=1e-4)
    assert f"moa = {kind}, dose = {number(dose)}" in Page(render(cells_evidence)).text


def test_each_component_shows_its_own_samples(cells, cells_evidence):
    parts, prior = cells_evidence.components, cells.model.prior
    assert parts.weights.tolist() == sorted(parts.weights, reverse=True)
    np.testing.assert_allclose(parts.weights, prior.mixture_distribution.probs[parts.numbers].numpy(force=True))
    assert parts.weights.sum() == pytest.approx(1, abs=1e-5)
    loc = torch.from_numpy(cells_evidence.measures.embedding.loc)[:, None]
    nearest = (prior.component_distribution.log_prob(loc) + prior.mixture_distribution.probs.log()).argmax(1)
    assert parts.counts.tolist() == [(nearest == number).sum().item() for number in parts.numbers]
    text = Page(render(cells_evidence)).text
    assert all(f"Component {number}" in text for number in parts.numbers)


def test_components_are_told_apart_by_their_samples(cells, cells_evidence):
    """With components far apart and narrow, each row must be what the decoder makes of that component's middle."""
    prior = cells.model.top._prior
    before = {name: value.clone() for name, value in prior.state_dict().items()}
    middles = torch.tensor([[-3.0, 0.0], [0.0, 3.0], [3.0, -3.0]])
    try:
        prior.loc.data.copy_(middles)
        prior.raw_scale.data.fill_(-30.0)
        prior.logits.data.copy_(torch.tensor([0.0, 2.0, 1.0]))
        fixed = cells.model.given(condition_of(cells, np.array([0])))
        setting = cells.experiment.model.second.prior
        parts = draw_components(fixed, setting, cells_evidence.measures.embedding, 0)
        assert parts.numbers.tolist() == [1, 2, 0]
        with torch.no_grad():
            expected = fixed.decode(middles[parts.numbers]).mean.numpy()
        np.testing.assert_allclose(parts.samples.mean(1), expected, atol=0.02)
        assert np.abs(expected[0] - expected[1]).max() > 0.1
        assert draw_components(fixed, VampPrior(), cells_evidence.measures.embedding, 0) is None
    finally:
        prior.load_state_dict(before)


def test_the_kind_of_model_stands_in_words(cells, digits, cells_evidence, evidence):
    assert kind_of(cells.experiment) == "A conditional two-stage variational autoencoder (VaDE, InfoMax)"
    assert kind_of(digits.experiment) == "A variational autoencoder"
    text = Page(render(cells_evidence)).text
    assert "with 6 and 2 latents" in text
    assert "each under its moa and dose, in 200 steps" in text
    plain = Page(render(evidence)).text
    for heading in ("Both stages", "another condition", "Each component", "Penalties", "What follows is about"):
        assert heading not in plain


def test_the_page_of_the_whole_family_is_escaped_and_has_its_curves(cells_evidence):
    html = render(cells_evidence)
    page = Page(html)
    assert NASTY not in html
    assert page.text.count("Mutual information") >= 4
    for title in ("Both stages together", "First stage", "Second stage"):
        assert html.index(f"<h4>{title}</h4>")
    charts = [a["aria-label"] for tag, a in page.tags if a.get("role") == "img"]
    assert sum(label.startswith("Mutual information in nats against") for label in charts) == 2
    assert not any("ceiling" in label for label in charts)


def test_a_curve_shows_its_ceiling_on_an_axis_that_holds_it():
    frame = pd.DataFrame({"step": [1, 2, 3], "split": "validation", "bound": [0.5, 1.0, 1.5], "bound_ceiling": 3.5})
    ax = curve(frame, "bound", ceiling="bound_ceiling").axes[0]
    dashed = [line for line in ax.lines if line.get_linestyle() == "--"]
    assert [line.get_ydata().tolist() for line in dashed] == [[3.5] * 3]
    assert ax.get_ylim()[0] <= 0 < 3.5 < ax.get_ylim()[1]
    assert not any(line.get_linestyle() == "--" for line in curve(frame, "bound").axes[0].lines)


def test_a_curve_leaves_out_the_preparation():
    values = [*np.full(20, 2000.0), *np.linspace(9, 8, 20)]
    frame = pd.DataFrame({"step": range(1, 41), "split": "train", "rate": values})
    ax = curve(frame, "rate", prepared=20).axes[0]
    assert ax.get_ylim()[1] < 12
    assert "2,000 before step 20, above" in " ".join(text.get_text() for text in ax.texts)
    assert curve(frame, "rate").axes[0].get_ylim()[1] > 1900


def test_collapse_names_its_stage(cells_evidence):
    first = cells_evidence.first
    none = replace(first.scores["active_units"], value=0.0)
    flat = replace(first, latent_variances=np.zeros(6), scores={**first.scores, "active_units": none})
    said = dict(warnings(replace(cells_evidence, first=flat)))
    assert "Posterior collapse in the first stage" in said
    assert "Posterior collapse in the second stage" not in said
    rate = replace(cells_evidence.measures.scores["rate"], value=0.05)
    measures = replace(cells_evidence.measures, scores={**cells_evidence.measures.scores, "rate": rate})
    assert "Posterior collapse in the second stage" in dict(warnings(replace(cells_evidence, measures=measures)))


@pytest.mark.parametrize(("value", "warned"), [(3.4, True), (3.2, False)])
def test_mutual_information_at_its_ceiling_is_warned_of(evidence, value, warned):
    """Logged last on validation images, or measured: within 5 % of 3.5 or not."""
    title = "Mutual information at the ceiling of its bound"
    frame = pd.DataFrame({"step": [1, 2], "split": "validation", "mutual_information": [3.5, value]})
    logged = replace(evidence, metrics=frame.assign(mutual_information_ceiling=3.5, loss=1.0, seconds=1.0))
    assert (title in dict(warnings(logged))) == warned
    if warned:
        assert "on validation images, 3.40 of at most 3.50 nats" in dict(warnings(logged))[title]
        assert "the true value may be any higher" in dict(warnings(logged))[title]
    score = replace(evidence.measures.scores["mutual_information"], value=value, ceiling=3.5)
    measures = replace(evidence.measures, scores={**evidence.measures.scores, "mutual_information": score})
    assert (title in dict(warnings(replace(evidence, measures=measures)))) == warned


def test_metrics_beside_the_report_have_both_stages(cells, cells_evidence, tmp_path):
    write_report(cells, tmp_path, num_samples=4)
    beside = json.loads((tmp_path / "metrics.json").read_text())
    for name in ("mse", "rate"):
        assert beside["first_stage"]["scores"][name]["value"] == cells_evidence.first.scores[name].value
        assert beside["scores"][name]["value"] == cells_evidence.measures.scores[name].value


def score(value: float, interval: tuple[float, float] | None = None) -> Score:
    return Score(value=value, unit="nats", better="higher", count=9, interval=interval)


@pytest.mark.parametrize(
    ("it", "value", "interval"),
    [
        (score(-97.4312, (-97.91, -96.93)), "\N{MINUS SIGN}97.43", "\N{MINUS SIGN}97.91 to \N{MINUS SIGN}96.93"),
        (score(12345.6, (12245.6, 12445.6)), "12,346", "12,246 to 12,446"),
        (score(0.0123456, (0.0122, 0.0125)), "0.01235", "0.01220 to 0.01250"),
        (score(15.0, (14.0, 16.0)), "15", "14 to 16"),
        (score(15.0, (15.0, 15.0)), "15", "15 to 15"),
        (score(1 / 3), "0.3333", ""),
        (score(math.nan), "not a number", ""),
        (score(math.inf), "\N{INFINITY}", ""),
    ],
)
def test_a_value_has_the_digits_that_its_interval_supports(it, value, interval):
    assert (value_of(it), interval_of(it)) == (value, interval)


def test_numbers_and_durations_read_well():
    assert number(0) == "0"
    assert number(1e-12) == "1e\N{MINUS SIGN}12"
    assert number(0.5, digits=2) == "0.50"
    times = {0.04: "0.0 s", 59.96: "1 min 0 s", 60: "1 min 0 s", 3599.7: "1 h 0 min", 7384: "2 h 3 min"}
    assert {seconds: duration(seconds) for seconds in times} == times


def test_the_kept_step_is_that_of_the_lowest_validation_loss():
    frame = pd.DataFrame(
        {"step": [1, 2, 2, 3, 3], "split": ["train", "train", "validation", "train", "validation"]}
        | {"loss": [0.1, 0.2, 5.0, 0.1, math.nan]}
    )
    assert kept_step(frame) == 2
    assert kept_step(frame[frame["split"] == "train"]) is None
    assert kept_step(pd.DataFrame()) is None


def test_training_that_still_improves_is_noticed():
    def frame(losses):
        return pd.DataFrame({"step": range(len(losses)), "split": "validation", "loss": losses})

    assert still_improving(frame(np.linspace(200, 100, 20)))
    assert not still_improving(frame([200, 150, 120, 110, 105, 104.9, 104.8, 104.8, 104.7, 104.7]))
    assert not still_improving(frame([200, 150, 120, 110, 90, 95]))


def test_the_label_column_is_the_likeliest():
    table = pd.DataFrame(
        {"path": list("abcdef"), "plate": list("112233"), "moa": list("xyxyxy"), "x": np.linspace(0, 1, 6)}
    )
    assert label_column(table) == "moa"
    assert label_column(table.drop(columns="moa")) == "plate"
    assert label_column(table[["path", "x"]], factors=("x",)) == "x"
    assert label_column(table[["path", "x"]]) == ""


def test_labels_become_classes_or_numbers():
    numbers = labels_of(pd.Series(np.linspace(0, 1, 50)))
    assert isinstance(numbers, np.ndarray)
    few = labels_of(pd.Series([3, 1, 2, 1, np.nan]))
    assert isinstance(few, Classes)
    assert few.names == ("1", "2", "3", "no label")
    assert few.codes.tolist() == [2, 0, 1, 0, 3]
    many = labels_of(pd.Series([f"c{i}" for i in range(40) for _ in range(41 - i)]))
    assert isinstance(many, Classes)
    assert many.names[0] == "c0"
    assert many.names[-1] == "other"
    assert len(many.names) == 20
    assert (many.codes == 19).sum() == sum(41 - i for i in range(19, 40))
