"""A report says what the numbers say, holds all it needs, and warns of what a reader must know."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from report_runs import NASTY, Page, cells_run, condition_of, digits_run, five_channels_run
from vaelab.data.columns import label_column
from vaelab.errors import InputError
from vaelab.evaluation import evaluate
from vaelab.inference import reconstruct, sample
from vaelab.metrics import Score
from vaelab.models import VAE, Model, local_randomness
from vaelab.plots import Classes
from vaelab.report import Look, render, write_report
from vaelab.report.cautions import cautions
from vaelab.report.html import _linked
from vaelab.report.names import kind_of
from vaelab.report.page import parts
from vaelab.report.parts.components import Components
from vaelab.report.parts.settings import settings
from vaelab.report.table import labels_of
from vaelab.report.terms import kept_step, still_improving
from vaelab.report.words import duration, interval_of, number, value_of
from vaelab.runs import Run, load
from vaelab.runs.question import ask
from vaelab.runs.results import measure


@pytest.fixture(scope="module")
def digits(tmp_path_factory) -> Run:
    return digits_run(tmp_path_factory.mktemp("digits"))


@pytest.fixture(scope="module")
def written(digits) -> Path:
    return write_report(digits, num_samples=8)


@pytest.fixture(scope="module")
def look(digits) -> Look:
    return Look(digits, num_samples=8)


@pytest.fixture(scope="module")
def page(look) -> str:
    return render(look)


@pytest.fixture(scope="module")
def five_channels(tmp_path_factory) -> Look:
    return Look(five_channels_run(tmp_path_factory.mktemp("five")), num_samples=2)


@pytest.fixture(scope="module")
def five_channels_page(five_channels) -> str:
    return render(five_channels)


@pytest.fixture(scope="module")
def cells(tmp_path_factory) -> Run:
    return cells_run(tmp_path_factory.mktemp("cells"))


@pytest.fixture(scope="module")
def cells_look(cells) -> Look:
    return Look(cells, num_samples=4)


@pytest.fixture(scope="module")
def cells_page(cells_look) -> str:
    return render(cells_look)


def shown(look: Look, part: str) -> dict[str, np.ndarray]:
    """The arrays of a part."""
    return parts()[part].arrays(look)


def other(look: Look, run: Run | None = None, **changed: object) -> Look:
    """The same look, at another run or with some of what it would compute replaced."""
    new = Look(run or look.run, num_samples=look.num_samples, seed=look.seed)
    new.__dict__.update(changed)
    return new


def scoring(look: Look, stage: str = "", *, ceiling: float | None = None, **values: float) -> Look:
    """The same look, had one stage these scores."""
    new, stage = other(look), stage or look.stages[-1]
    measured = look.measured(stage)
    scores = [
        replace(s, value=values[s.metric], ceiling=ceiling or s.ceiling)
        if s.metric in values and not s.part + s.model
        else s
        for s in measured.scores
    ]
    new.once(("measured", stage, None), lambda: replace(measured, scores=tuple(scores)))
    return new


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
    own = evaluate(digits.model, x, num_samples=8, channels=digits.channels)
    text = Page(written.read_text()).text
    for name in ("elbo", "log_likelihood", "rate", "mse"):
        score = own.score(name)
        assert value_of(score) in text, name
        assert interval_of(score) in text, name


def test_what_was_measured_beside_columns_stands_with_the_measures(digits, written):
    assert "Beside columns" not in Page(written.read_text()).text
    asked = ask(digits, num_images=100, num_samples=1, labels="label")
    score = measure(digits, asked, ["probe_accuracy"]).score("probe_accuracy")
    text = Page(render(Look(digits, num_samples=8))).text
    assert "Beside columns of the table (labels: label), as measured by evaluate on 100 test images." in text
    assert value_of(score) in text
    assert f"PCA {value_of(measure(digits, asked, ['probe_accuracy']).score('probe_accuracy', '', 'PCA'))}" in text


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Chen 2018, https://arxiv.org/abs/1802.04942", "https://arxiv.org/abs/1802.04942"),
        ("Heusel 2017 (https://a.b/c), section 2", "https://a.b/c"),
        (
            "Rousseeuw 1987, https://doi.org/10.1016/0377-0427(87)90125-7",
            "https://doi.org/10.1016/0377-0427(87)90125-7",
        ),
        ("one https://a.b/c, two", "https://a.b/c"),
    ],
)
def test_an_address_is_a_link_whole(text, address):
    assert f'<a href="{address}">link</a>' in _linked(text)


def test_what_is_measured_is_kept_with_the_run_and_read_back(digits, written, monkeypatch):
    kept = [path.parent.name for path in digits.folder.glob("results/*/scores.json")]
    assert any(name.startswith("test-359-images-8-samples-") for name in kept)
    monkeypatch.setattr(VAE, "encode", None)
    assert value_of(Look(digits, num_samples=8).score("elbo")) in written.read_text()


def test_the_pictures_are_the_images_and_their_reconstructions(digits, look):
    for name in ("reconstructions", "worst", "best"):
        pairs = shown(look, name)
        x = digits.feed(pairs["rows"])
        assert pairs["levels"].tolist() == ["original", "reconstruction"]
        np.testing.assert_array_equal(pairs["images"][0], x.numpy())
        np.testing.assert_allclose(pairs["images"][1], reconstruct(digits.model, x), atol=1e-6)
    fits = dict(zip(look.rows, look.fits, strict=True))
    worst, best = shown(look, "worst"), shown(look, "best")
    assert worst["fits"].tolist() == sorted(look.fits)[: len(worst["fits"])]
    assert best["fits"].tolist() == sorted(look.fits, reverse=True)[: len(best["fits"])]
    assert worst["fits"].tolist() == [fits[row] for row in worst["rows"]]


def test_the_plane_is_that_of_principal_components(digits, look):
    from sklearn.decomposition import PCA

    loc, plane = look.embedding.loc, shown(look, "plane")
    pca = PCA(2).fit(loc)
    np.testing.assert_allclose(np.abs(plane["points"]), np.abs(pca.transform(loc)), atol=1e-3)
    np.testing.assert_allclose(plane["shares"], pca.explained_variance_ratio_, rtol=1e-4)
    shares = [f"{share:.0%}" for share in pca.explained_variance_ratio_]
    assert [axis.split("(")[1][:-1] for axis in plane["axes"].tolist()] == shares
    labels = digits.dataset.collection.table["label"].iloc[digits.splits.test].astype(str)
    assert plane["label"] == "label"
    assert plane["names"][plane["labels"]].tolist() == labels.tolist()


def test_traversals_go_by_falling_rate_over_the_central_95_percent(look):
    walks = shown(look, "traversal")
    assert (np.diff(look.latent_rates[walks["latents"]]) <= 0).all()
    assert walks["values"].shape[1] == 15
    low = look.embedding.aggregate_quantile(0.025)[walks["latents"]]
    np.testing.assert_allclose(walks["values"][:, 0], low, rtol=1e-5)


def test_the_curves_are_the_values_of_the_log(digits, look):
    log, page = digits.metrics(), shown(look, "curves")
    drawn = pd.DataFrame(page)
    for split in ("train", "validation"):
        for term in ("loss", "elbo", "distortion", "rate"):
            own = log[log["split"] == split].dropna(subset=[term])
            found = drawn[(drawn["split"] == split) & (drawn["term"] == term)]
            assert found["step"].tolist() == own["step"].tolist()
            assert found["value"].tolist() == own[term].tolist()


def test_the_page_draws_those_points(digits, page):
    """Each chart's lines go through its values: what an SVG path holds is linear in step and value."""
    log, html = digits.metrics(), page
    chart = html[html.index('aria-label="ELBO in nats per image against') :]
    paths = [
        np.array(re.findall(r"[ML] ([\d.-]+) ([\d.-]+)", path), float)
        for path in re.findall(r'<path d="(M [^"]*)"[^>]*style="fill: none; stroke: var\(--(?:first|second)', chart)[:2]
    ]
    for split, path in zip(("train", "validation"), paths, strict=True):
        own = log[log["split"] == split].dropna(subset=["elbo"])
        inside = own[own["step"] > 0.1 * log["step"].max()]
        points = path[-len(inside) :]
        for values, places in ((inside["step"], points[:, 0]), (inside["elbo"], points[:, 1])):
            assert abs(np.corrcoef(values, places)[0, 1]) > 0.99999
        assert np.corrcoef(inside["step"], points[:, 0])[0, 1] > 0
        assert np.corrcoef(inside["elbo"], points[:, 1])[0, 1] < 0


def test_the_same_seed_gives_the_same_report(digits, page):
    def lasting(html: str) -> str:
        return re.sub(r"Computing this report took [^<]*", "", html)

    assert lasting(render(Look(digits, num_samples=8))) == lasting(page)
    draws = [shown(Look(digits, num_samples=8, seed=seed), "samples")["samples"] for seed in (0, 1)]
    assert not np.array_equal(*draws)


def test_every_setting_stands_in_the_report(digits, written):
    text = Page(written.read_text()).text
    listed = {path for path, _, _ in settings(digits.experiment)}
    for name in ("data.split.stratify", "model.latent_dim", "model.encoder.hidden", "training.batch_size", "seed"):
        assert name in listed
        assert name in text
    assert digits.facts.content_hash in text
    assert torch.__version__ in text


def test_fewer_images_are_a_random_draw_of_its_own_and_it_says_so(digits):
    some = Look(digits, num_samples=2, num_images=30)
    assert len(some.rows) == 30
    assert set(some.rows) < set(digits.splits.test.tolist())
    with local_randomness(3, torch.device("cpu")):
        before = torch.get_rng_state()
        text = Page(render(some)).text
        assert torch.equal(torch.get_rng_state(), before)
    assert "a random draw of 30 of the 359 images" in text


def test_a_dear_decoder_is_asked_for_less_and_the_page_says_so(digits):
    dear = Look(digits)
    dear.cost = 2e9
    assert (len(dear.rows), dear.num_samples, dear.is_cut) == (125, 3, True)
    assert dear.affords(64, 0.1, 9) == 50
    text = Page(render(dear)).text
    assert "fewer images or draws were taken" in text
    assert "a random draw of 125 of the 359 images" in text
    cheap = Look(digits)
    assert (len(cheap.rows), cheap.num_samples, cheap.is_cut) == (359, 100, False)


def test_what_drawing_costs_is_counted_layer_by_layer():
    from vaelab.inference import operations
    from vaelab.models import VAEConfig
    from vaelab.networks.conv import ConvDecoder

    config = VAEConfig(latent_dim=3, decoder=ConvDecoder(widths=(8, 4), upsampling="nearest", norm="none"))
    model = config.build((1, 16, 16))
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counted, torch.no_grad():
        model.decode(torch.zeros(1, 3))
    assert operations(model) == counted.get_total_flops()


def test_a_folder_and_a_file_can_be_named(digits, tmp_path, monkeypatch):
    monkeypatch.setattr("vaelab.report.write.render", lambda look: f"<p>{len(look.rows)}</p>")
    assert write_report(digits, tmp_path, num_images=20) == tmp_path / "report.html"
    assert write_report(digits, tmp_path / "a.html", num_images=30) == tmp_path / "a.html"
    found = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert found == {"report.html": "<p>20</p>", "a.html": "<p>30</p>"}


def test_what_cannot_be_is_refused_in_one_sentence(digits, tmp_path):
    with pytest.raises(InputError, match="should be a folder, got nothing there"):
        write_report(digits, tmp_path / "none" / "report.html")
    with pytest.raises(InputError, match=r"num_images should be at least 1, got 0"):
        write_report(digits, tmp_path, num_images=0)
    with pytest.raises(InputError, match=r"label should be a known name, got 'Label'. Known: .*did you mean label"):
        write_report(digits, tmp_path, label="Label")
    with pytest.raises(InputError, match=r"num_samples should be at least 1, got -3"):
        write_report(digits, tmp_path, num_samples=-3)
    (tmp_path / "taken.html").mkdir()
    (tmp_path / "taken.html" / "report.html").mkdir()
    with pytest.raises(InputError, match=r"taken.html/report.html should be a file, got a folder"):
        write_report(digits, tmp_path / "taken.html", num_samples=1, num_images=20)
    assert not list(tmp_path.rglob("*.part*"))


def test_whatever_a_user_names_is_escaped(five_channels_page):
    assert NASTY not in five_channels_page
    assert "&lt;script&gt;" in five_channels_page
    assert len(Page(five_channels_page).of("script")) == 1


def test_five_channels_are_shown_together_and_alone(five_channels_page):
    text = Page(five_channels_page).text
    assert "Each of the 5 channels alone" in text
    assert "Which latent moves which channel" in text
    assert "full brightness is 0.24" in text


def test_the_reader_is_warned(five_channels, five_channels_page):
    assert five_channels.split == "validation"
    said = dict(cautions(five_channels))
    assert {"Posterior collapse", "Measured on validation images", "Few held-out images"} <= set(said)
    assert "The likelihood is not normalised" in said
    text = Page(five_channels_page).text
    assert all(sentence in text for sentence in said.values())


def test_pca_that_wins_in_one_channel_alone_is_named(five_channels):
    measured, channel = five_channels.measured(), five_channels.channels[1]
    values = {("", ""): 1.0, ("", "PCA"): 2.0, (channel, ""): 2.0, (channel, "PCA"): 1.0}
    errors = {name: values.get(name) for name in ((s.part, s.model) for s in measured.scores if s.metric == "mse")}
    assert {*values} <= {*errors}
    new = other(five_channels)
    scores = [
        replace(s, value=errors[s.part, s.model] or float(bool(s.model))) if s.metric == "mse" else s
        for s in measured.scores
    ]
    new.once(("measured", five_channels.stages[-1], None), lambda: replace(measured, scores=tuple(scores)))
    said = dict(cautions(new))
    assert "Worse than PCA" not in said
    assert said["Worse than PCA in part"].startswith(f"The squared error of {channel} alone is not below that of PCA")


def test_a_healthy_run_is_not_warned_of_collapse(look):
    assert "Posterior collapse" not in dict(cautions(look))


def test_files_left_out_are_listed(digits, look):
    facts = replace(digits.facts, left_out=(("a/b.png", "truncated"), ("c.tif", "zero bytes")))
    some = other(look, replace(digits, facts=facts))
    text = Page(render(some)).text
    assert "2 files left out" in dict(cautions(some))
    assert "a/b.png" in text
    assert "zero bytes" in text


def test_an_unfinished_run_says_so(digits, look):
    training = replace(digits.experiment.training, num_steps=10_000, patience=None)
    longer = replace(digits, experiment=replace(digits.experiment, training=training))
    assert "Not trained to the end" in dict(cautions(other(look, longer)))


def test_a_run_without_metrics_has_a_report(look):
    assert "no curves" in Page(render(other(look, metrics=pd.DataFrame()))).text


def test_a_loaded_run_gives_the_same_numbers(digits, look):
    again = Look(load(digits.folder), num_samples=8)
    assert again.value("elbo") == look.value("elbo")


def test_a_report_of_the_first_stage_alone_measures_that_stage(cells, cells_look):
    alone = Look(cells.at_stage("first"), num_samples=4)
    assert alone.latent_dim == 6
    assert alone.stages == ("",)
    for name in ("mse", "rate", "active_units"):
        assert alone.value(name) == pytest.approx(cells_look.value(name, "first"), rel=1e-5)
    assert "6 latents" in Page(render(alone)).text


@torch.no_grad()
def drawn_by(model: Model, x: torch.Tensor) -> np.ndarray:
    return model.decode(model.encode(x).mean).mean.numpy()


def test_every_stage_is_shown_under_the_images_own_conditions(cells, cells_look):
    for name in ("reconstructions", "worst", "best"):
        pairs = shown(cells_look, name)
        x = cells.feed(pairs["rows"])
        model = cells.model.given(condition_of(cells, pairs["rows"]))
        assert pairs["levels"].tolist() == ["original", "first stage", "second stage"]
        original, first, second = pairs["images"]
        np.testing.assert_array_equal(original, x.numpy())
        np.testing.assert_allclose(first, drawn_by(model.first, x), atol=1e-5)
        np.testing.assert_allclose(second, drawn_by(model, x), atol=1e-5)
        others = cells.model.given(condition_of(cells, pairs["rows"]).roll(1, 0))
        assert np.abs(second - drawn_by(others, x)).max() > 0.01
        assert np.abs(first - second).max() > 0.01


def test_the_stages_are_measured_on_the_same_images(cells, cells_look, cells_page):
    x = cells.feed(cells_look.rows)
    model = cells.model.given(condition_of(cells, cells_look.rows))
    page = Page(cells_page).text
    for stage, own in (("first", model.first), ("second", model)):
        errors = ((drawn_by(own, x) - x.numpy()) ** 2).mean(axis=(0, 2, 3))
        found = [cells_look.score("mse", channel, stage).value for channel in ("DNA", "actin")]
        np.testing.assert_allclose(found, errors, rtol=1e-4)
        for name in ("rate", "mutual_information", "mse"):
            assert value_of(cells_look.score(name, stage=stage)) in page
        assert value_of(cells_look.score("mse", "actin", stage)) in page
    assert "First stage, 6 latents" in page
    assert "Second stage, 2 latents" in page


def test_codes_are_decoded_under_every_category_the_dose_kept(cells, cells_look):
    swaps, rows = shown(cells_look, "conditions"), shown(cells_look, "reconstructions")["rows"][:6]
    assert swaps["rows"].tolist() == rows.tolist()
    assert swaps["categories"].tolist() == sorted(["DMSO", "taxol", NASTY])
    assert swaps["own"].tolist() == cells.dataset.collection.table["moa"].iloc[rows].tolist()
    np.testing.assert_array_equal(swaps["originals"], cells.feed(rows).numpy())
    with torch.no_grad():
        z = cells.model.given(condition_of(cells, rows)).encode(cells.feed(rows)).mean
        for place, category in enumerate(swaps["categories"]):
            under = cells.model.given(condition_of(cells, rows, moa=category))
            np.testing.assert_allclose(swaps["images"][:, place], under.decode(z).mean.numpy(), atol=1e-5)
    for images in (swaps["images"], swaps["samples"]):
        assert (np.abs(images[:, 0] - images[:, 1]).max(axis=(1, 2, 3)) > 1e-3).all()
    assert swaps["samples"].shape == (4, 3, 2, 8, 8)


def test_samples_have_the_conditions_of_the_real_images_beside_them(cells, cells_look):
    drawn = shown(cells_look, "samples")
    np.testing.assert_array_equal(drawn["real"], cells.feed(drawn["rows"]).numpy())
    condition, count = condition_of(cells, drawn["rows"]), len(drawn["rows"])
    expected = sample(cells.model.given(condition), count, seed=0)
    np.testing.assert_allclose(drawn["samples"], expected, atol=1e-5)
    assert np.abs(expected - sample(cells.model.given(condition.roll(1, 0)), count, seed=0)).max() > 0.01


def test_traversals_are_decoded_under_the_usual_condition(cells, cells_look, cells_page):
    table = cells.dataset.collection.table.iloc[cells.splits.train]
    kind, dose = table["moa"].value_counts().index[0], float(table["dose"].astype(float).mean())
    walks = shown(cells_look, "traversal")
    z = np.tile(walks["held"], (15, 1))
    z[:, walks["latents"][0]] = walks["values"][0]
    fixed = cells.model.given(condition_of(cells, np.array([0]), moa=kind, dose=dose))
    with torch.no_grad():
        np.testing.assert_allclose(walks["images"][0], fixed.decode(torch.from_numpy(z)).mean.numpy(), atol=1e-4)
    assert f"moa = {kind}, dose = {number(dose)}" in Page(cells_page).text


def test_each_component_shows_its_own_samples(cells, cells_look, cells_page):
    found, prior = shown(cells_look, "components"), cells.model.prior
    assert found["weights"].tolist() == sorted(found["weights"], reverse=True)
    np.testing.assert_allclose(found["weights"], prior.mixture_distribution.probs[found["numbers"]].numpy(force=True))
    assert found["weights"].sum() == pytest.approx(1, abs=1e-5)
    loc = torch.from_numpy(cells_look.embedding.loc)[:, None]
    nearest = (prior.component_distribution.log_prob(loc) + prior.mixture_distribution.probs.log()).argmax(1)
    assert found["counts"].tolist() == [(nearest == i).sum().item() for i in found["numbers"]]
    text = Page(cells_page).text
    assert all(f"Component {i}" in text for i in found["numbers"])


def test_components_are_told_apart_by_their_samples(cells, cells_look):
    """With components far apart and narrow, each row must be what the decoder makes of that component's middle."""
    prior = cells.model.top._prior
    before = {name: value.clone() for name, value in prior.state_dict().items()}
    middles = torch.tensor([[-3.0, 0.0], [0.0, 3.0], [3.0, -3.0]])
    cells_look.embedding  # noqa: B018  (measured with the weights as they are)
    try:
        prior.loc.data.copy_(middles)
        prior.raw_scale.data.fill_(-30.0)
        prior.logits.data.copy_(torch.tensor([0.0, 2.0, 1.0]))
        found = Components().compute(cells_look)
        assert found["numbers"].tolist() == [1, 2, 0]
        with torch.no_grad():
            expected = cells_look.fixed.decode(middles[found["numbers"]]).mean.numpy()
        np.testing.assert_allclose(found["samples"].mean(1), expected, atol=0.02)
        assert np.abs(expected[0] - expected[1]).max() > 0.1
    finally:
        prior.load_state_dict(before)


def test_the_kind_of_model_stands_in_words(cells, digits, cells_page, page):
    assert kind_of(cells.experiment) == "A conditional two-stage variational autoencoder (VaDE, InfoMax)"
    assert kind_of(digits.experiment) == "A variational autoencoder"
    text = Page(cells_page).text
    assert "with 6 and 2 latents" in text
    assert "each under its moa and dose, in 200 steps" in text
    plain = Page(page).text
    for heading in ("Both stages", "another condition", "Each component", "Penalties", "What follows is about"):
        assert heading not in plain


def test_the_page_of_the_whole_family_is_escaped_and_has_its_curves(cells_page):
    page = Page(cells_page)
    assert NASTY not in cells_page
    assert page.text.count("Mutual information") >= 4
    for title in ("Both stages together", "First stage", "Second stage"):
        assert cells_page.index(f"<h4>{title}</h4>")
    charts = [a["aria-label"] for tag, a in page.tags if a.get("role") == "img"]
    assert sum(label.startswith("Mutual information in nats against") for label in charts) == 2
    assert not any("ceiling" in label for label in charts)


def test_collapse_names_its_stage(cells_look):
    said = dict(cautions(scoring(cells_look, "first", active_units=0.0)))
    assert "Posterior collapse in the first stage" in said
    assert "Posterior collapse in the second stage" not in said
    assert "Posterior collapse in the second stage" in dict(cautions(scoring(cells_look, "second", rate=0.05)))


@pytest.mark.parametrize(("value", "warned"), [(3.4, True), (3.2, False)])
def test_mutual_information_at_its_ceiling_is_warned_of(look, value, warned):
    """Logged last on validation images, or measured: within 5 % of 3.5 or not."""
    title = "Mutual information at the ceiling of its bound"
    frame = pd.DataFrame({"step": [1, 2], "split": "validation", "stage": "", "mutual_information": [3.5, value]})
    logged = other(look, metrics=frame.assign(mutual_information_ceiling=3.5, loss=1.0, seconds=1.0))
    said = dict(cautions(logged))
    assert (title in said) == warned
    if warned:
        assert "on validation images, 3.40 of at most 3.50 nats" in said[title]
        assert "the true value may be any higher" in said[title]
    measured = scoring(look, mutual_information=value, ceiling=3.5)
    assert (title in dict(cautions(measured))) == warned


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
    assert {seconds: duration(seconds).replace("\N{NO-BREAK SPACE}", " ") for seconds in times} == times
    assert duration(134).split(" ") == ["2\N{NO-BREAK SPACE}min", "14\N{NO-BREAK SPACE}s"]


def test_the_kept_step_is_that_of_the_lowest_validation_loss():
    frame = pd.DataFrame(
        {"step": [1, 2, 2, 3, 3], "stage": "", "split": ["train", "train", "validation", "train", "validation"]}
        | {"loss": [0.1, 0.2, 5.0, 0.1, math.nan]}
    )
    assert kept_step(frame) == 2
    assert kept_step(frame[frame["split"] == "train"]) is None
    assert kept_step(pd.DataFrame()) is None


def test_training_that_still_improves_is_noticed():
    def frame(losses):
        return pd.DataFrame({"step": range(len(losses)), "split": "validation", "stage": "", "loss": losses})

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
