"""Models are compared on images that all held out: paired differences, seeds, splits that differ, and refusals."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.spatial import procrustes as scipy_procrustes

from report_runs import NASTY, NETWORKS, hasty_classifiers, quick
from vaelab.cli import main
from vaelab.data import Data, Scaling, Split
from vaelab.data.sources.npz import NpzSource
from vaelab.errors import InputError
from vaelab.experiment import Experiment
from vaelab.likelihoods.bernoulli import BernoulliLikelihood
from vaelab.likelihoods.continuous_bernoulli import ContinuousBernoulliLikelihood
from vaelab.likelihoods.gaussian import GaussianLikelihood
from vaelab.metrics import interval_of_means
from vaelab.models import TwoStageConfig, VAEConfig
from vaelab.objectives.elbo import ELBO
from vaelab.objectives.two_stage import TwoStageObjective
from vaelab.presets import preset
from vaelab.report.comparison import render
from vaelab.runs import load, train
from vaelab.runs.agreements import shared_latents
from vaelab.runs.columns import keep_column
from vaelab.runs.compare import compare
from vaelab.runs.differences import Difference, over_seeds
from vaelab.runs.entries import Entry, common_rows, entries_of, find_runs, load_all
from vaelab.runs.question import ask, rows_of
from vaelab.runs.ranking import ranking
from vaelab.runs.results import measure
from vaelab.studies import Asked, Shown, Study

SPLIT = Split(validation=20, test=40)
SEEN = ["classifier_agreement"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Runs of 200 images of two channels, hardly trained."""
    place, random = tmp_path_factory.mktemp("compare"), np.random.default_rng(0)
    images = random.integers(0, 60, (200, 2, 8, 8), np.uint8)
    for image, shift in zip(images, random.integers(0, 6, 200), strict=True):
        image[:, shift : shift + 2] += 150
    np.savez(place / "images.npz", images=images, channels=np.array(["DNA", "actin"]), label=np.arange(200) % 3)
    np.savez(place / "others.npz", images=images[::-1])

    def make(name, likelihood=None, *, data="images.npz", split=SPLIT, seed=0, beta=1.0, steps=60, two=False, **more):
        one = VAEConfig(latent_dim=2, likelihood=likelihood or ContinuousBernoulliLikelihood(), **NETWORKS)
        experiment = Experiment(
            name="compared",
            data=Data(source=NpzSource(path=str(place / data), layout="channels_first"), split=split, **more),
            model=TwoStageConfig(first=one, second=replace(one, latent_dim=1)) if two else one,
            objective=TwoStageObjective() if two else ELBO(rate_weight=beta),
            training=preset("digits").training,
            seed=seed,
        )
        train(quick(experiment, steps), place / name, progress=False)

    for seed in (0, 1, 2):
        make(f"plain/seed-{seed}", seed=seed)
    for seed in (0, 1):
        make(f"beta/seed-{seed}", seed=seed, beta=8.0)
    make("gauss", likelihood=GaussianLikelihood())
    make("binary", likelihood=BernoulliLikelihood(), binarize="threshold")
    make("scaled", scaling=Scaling(range="min_max"))
    make("two", two=True)
    make("divided", split=Split(validation=20, test=80, seed=3))
    make("apart", split=Split(validation=1, test=2, seed=5))
    make("no-test", split=Split(validation=30, test=0))
    make("no-held-out", split=Split(validation=0, test=0))
    make("other-images", data="others.npz")
    return place


@pytest.fixture
def runs(place):
    return lambda *names: load_all(find_runs(place / name for name in names)[0])


def test_a_selection_that_is_kept_with_one_run_does_not_make_its_images_others(runs, place):
    rows = load(place / "gauss").splits.test[:4]
    path = keep_column(place / "gauss", "bright", rows, pd.Series(["yes", "no", "no", "yes"]))
    try:
        first, second = runs("gauss", "plain/seed-0")
        assert first.dataset.collection.table["bright"].notna().sum() == 4
        assert "bright" not in second.dataset.collection.table
    finally:
        path.unlink()


def line_of(comparison, metric, entry, part="", model=""):
    wanted = (metric, part, model, entry)
    return next(s for s in comparison.lines if (s.score.metric, s.score.part, s.score.model, s.entry) == wanted)


def test_a_difference_is_the_mean_of_those_at_each_image_with_their_bootstrap(runs, place):
    comparison = compare(runs("gauss", "plain/seed-0"), num_samples=5)
    gauss, plain = (load(place / name) for name in ("gauss", "plain/seed-0"))
    values = [measure(run, ask(run, num_samples=5)).per_image["mse/DNA"].to_numpy() for run in (gauss, plain)]
    random, differences = np.random.default_rng(1), values[1] - values[0]
    means = [differences[random.integers(40, size=40)].mean() for _ in range(20_000)]
    found = line_of(comparison, "mse", "seed-0", "DNA").difference
    assert found.value == pytest.approx(differences.mean(), abs=1e-12)
    assert found.interval == pytest.approx(np.quantile(means, [0.025, 0.975]), abs=0.1 * np.ptp(found.interval))
    apart = [interval_of_means(each) for each in values]
    assert np.ptp(found.interval) < min(np.ptp(ends) for ends in apart)
    assert line_of(comparison, "mse", "gauss").difference is None
    assert line_of(comparison, "mutual_information", "seed-0").why_not
    assert len(comparison.rows) == 40


def test_each_stage_of_a_model_is_an_entry_with_the_numbers_that_evaluate_gives(runs, place):
    comparison = compare(runs("gauss", "two"), metrics=["mse", "active_units"], num_samples=3)
    assert [entry.name for entry in comparison.entries] == ["gauss", "two", "two, first stage"]
    run = load(place / "two")
    for name, stage in (("two", "second"), ("two, first stage", "first")):
        own = measure(run, ask(run, stage=stage, num_samples=3), ["mse", "active_units"])
        for metric in ("mse", "active_units"):
            assert line_of(comparison, metric, name).score.value == own.score(metric).value
    second, first = (line_of(comparison, "active_units", name).score for name in ("two", "two, first stage"))
    assert (second.ceiling, first.ceiling) == (1, 2)
    two = replace(run.experiment, name="two")
    asked = Asked(text="Is the first stage better?", metric="mse", experiments=("two", "two, first stage"))
    study = Study(name="stages", experiments=(two,), questions=(asked,))
    with pytest.raises(InputError, match=r"^questions\[0\] should be a known name, .* Known: two, two, first stage"):
        replace(study, questions=(replace(asked, experiments=("two, third stage",)),))
    page = render(comparison, study)
    assert "2 runs of 2 models" not in page
    assert "2 runs and 1 earlier stage, measured on" in page


def test_answers_are_those_of_evaluate_and_read_the_next_time(runs, place):
    comparison = compare(runs("gauss", "plain/seed-0"), num_samples=3)
    kept = sorted((place / "gauss" / "results").rglob("scores.json"))
    before = [path.stat().st_mtime_ns for path in kept]
    again = compare(runs("gauss", "plain/seed-0"), num_samples=3)
    assert [path.stat().st_mtime_ns for path in kept] == before
    pd.testing.assert_frame_equal(comparison.table(), again.table())
    run = load(place / "gauss")
    assert line_of(comparison, "elbo", "gauss").score == measure(run, ask(run, num_samples=3)).score("elbo")


def test_seeds_of_one_experiment_are_one_entry(runs, place):
    comparison = compare(runs("plain", "beta", "gauss"), num_samples=5)
    assert [(e.name, len(e.runs)) for e in comparison.entries] == [("plain", 3), ("beta", 2), ("gauss", 1)]
    each = (
        [load(place / "plain" / f"seed-{s}") for s in (0, 1, 2)],
        [load(place / "beta" / f"seed-{s}") for s in (0, 1)],
    )
    plain, beta = ([measure(run, ask(run, num_samples=5)).per_image["elbo"] for run in some] for some in each)
    line = line_of(comparison, "elbo", "beta")
    assert line.score.value == pytest.approx(np.mean(beta))
    assert line.difference.value == pytest.approx(np.mean(beta) - np.mean(plain))
    assert line.difference.interval == interval_of_means(np.mean(beta, axis=0) - np.mean(plain, axis=0))
    welch = stats.ttest_ind([b.mean() for b in beta], [p.mean() for p in plain], equal_var=False)
    assert line.difference.over_seeds == pytest.approx(welch.confidence_interval(0.95))
    means = [p.mean() for p in plain]
    student = stats.t.interval(0.95, 2, np.mean(means), stats.sem(means))
    assert line_of(comparison, "elbo", "plain").over_seeds == pytest.approx(student)
    assert line_of(comparison, "elbo", "gauss").difference.over_seeds is None
    assert line_of(comparison, "mutual_information", "beta").difference.interval is None
    assert any(note.startswith("Trained once: gauss;") for note in comparison.notes)


@pytest.mark.parametrize(
    ("images", "seeds", "better", "words"),
    [
        ((0.1, 0.3), None, "higher", "better"),
        ((0.1, 0.3), (0.01, 0.4), "lower", "worse"),
        ((0.1, 0.3), None, "neither", "higher"),
        ((0.1, 0.3), (-0.5, 0.9), "lower", "worse on these images, within the spread of seeds"),
        ((-0.1, 0.3), None, "lower", "no difference shown"),
        ((-0.1, 0.3), (0.1, 0.3), "lower", "no difference shown"),
        (None, (0.1, 0.3), "neither", "higher"),
        (None, None, "neither", "no difference shown"),
        ((0.0, 0.0), None, "lower", "no difference shown"),
    ],
)
def test_what_is_said_of_a_difference(images, seeds, better, words):
    difference = Difference(value=0.2, interval=images, over_seeds=seeds, better=better)
    assert difference.words == words
    assert difference.is_shown == (words in ("better", "worse", "higher"))


def test_one_seed_gives_no_interval_over_seeds():
    assert over_seeds([1.0]) is None
    assert over_seeds([1.0, 2.0], [1.0]) is None
    assert over_seeds([1.0, np.nan]) is None
    assert over_seeds([2.0, 2.0], [1.0, 1.0]) == (1.0, 1.0)


def test_the_same_experiment_and_seed_twice_are_two_entries(place, runs):
    shutil.copytree(place / "gauss", place / "copies" / "gauss")
    entries = entries_of(runs("gauss", "copies"))
    assert [entry.name for entry in entries] == [f"{place.name}/gauss", "copies/gauss"]
    shutil.copytree(place / "plain" / "seed-1", place / "copies" / "again")
    entries = entries_of(runs("plain", "copies/again"))
    assert [(entry.name, len(entry.runs)) for entry in entries] == [("plain", 3), ("again", 1)]


def test_where_splits_differ_those_held_out_in_all_are_compared(runs):
    both = runs("gauss", "divided")
    comparison = compare(both, num_samples=3)
    held_out = [{*run.splits.test.tolist()} for run in both]
    assert {*comparison.rows.tolist()} == held_out[0] & held_out[1]
    assert not {*comparison.rows.tolist()} & {*both[0].splits.train.tolist(), *both[1].splits.train.tolist()}
    assert any(f"{len(comparison.rows)} images are held out in all" in note for note in comparison.notes)
    run, rows = both[1], comparison.rows
    whole = measure(run, ask(run, num_samples=3)).per_image.set_index(rows_of(run, ask(run, num_samples=3)))
    assert line_of(comparison, "mse", "divided").score.value == pytest.approx(whole.loc[rows, "mse"].mean(), rel=1e-5)
    some = compare(both, num_samples=3, num_images=5)
    assert len(some.rows) == 5
    assert {*some.rows.tolist()} <= {*rows.tolist()}


def test_of_a_run_without_test_images_the_validation_images_are_held_out(runs, place):
    rows = common_rows([load(place / "no-test"), load(place / "gauss")])
    assert {*rows.tolist()} <= {*load(place / "no-test").splits.validation.tolist()}
    notes = compare(runs("gauss", "no-test"), num_samples=2).notes
    assert any(note.startswith("Of no-test the images are the validation part") for note in notes)


def reasons(comparison):
    return {(refusal.metric, name): refusal.reason for refusal in comparison.refused for name in refusal.entries}


def test_what_cannot_be_compared_is_named_and_the_rest_is_compared(runs):
    comparison = compare(runs("gauss", "plain/seed-0", "binary", "scaled"), num_samples=3)
    left_out, kept = reasons(comparison), {(line.score.metric, line.entry) for line in comparison.lines}
    assert "speak of unit space, as that of gauss does, got binary space" in left_out["elbo", "binary"]
    assert "data.binarize is threshold, and no for gauss" in left_out["mse", "binary"]
    assert "scaled otherwise than for gauss" in left_out["mse", "scaled"]
    assert "scaled otherwise than for gauss" in left_out["log_likelihood", "scaled"]
    assert "of one model" in left_out["fit", "gauss"]
    assert {("elbo", "seed-0"), ("mse", "seed-0"), ("rate", "binary"), ("active_units", "scaled")} <= kept
    assert not {*left_out} & kept
    table = comparison.table()
    assert len(table[table["words"].str.startswith("not compared")]) == len(left_out)


def test_a_ranking_is_of_some_entries_against_the_best_or_a_named_one(runs):
    comparison = compare(runs("plain", "beta", "gauss", "binary"), num_samples=2, metrics=["mse", "elbo", "rate"])
    found = ranking(comparison, "mse", "actin")
    values = [line.score.value for line in found.lines]
    assert values == sorted(values)
    assert found.against == found.lines[0].entry
    assert set(found.reasons) == {"binary"}
    assert found.lines[0].difference is None
    for line in found.lines[1:]:
        assert line.difference.value == pytest.approx(line.score.value - values[0])
    plain = ranking(comparison, "mse", names=["beta", "plain"], against="plain")
    assert plain.against == "plain"
    other = next(line for line in plain.lines if line.entry == "beta")
    assert other.difference.interval is not None
    apart = ranking(comparison, "elbo", names=["gauss", "binary"])
    assert apart.lines == ()
    assert "binary space" in apart.reasons["binary"]
    nothing = ranking(comparison, "mse", "no such")
    assert nothing.lines == ()
    assert nothing.reasons["plain"] == "it has no part 'no such'"


def test_a_study_page_answers_and_shows_side_by_side(place, runs):
    comparison = compare(runs("plain", "beta"), num_samples=2, num_images=20, metrics=["mse", "elbo", "rate"])
    base = load(place / "gauss").experiment
    study = Study(
        name="compared",
        experiments=(replace(base, name="compared"),),
        questions=(Asked(text="Which <is> better?", metric="mse"),),
        pictures=(Shown(part="manifold"),),
    )
    document = render(comparison, study)
    assert "Which &lt;is&gt; better?" in document
    assert "What was asked, what was found" in document
    assert 'id="drawn"' in document
    assert "<h1>compared</h1>" in document


def test_what_needs_a_classifier_is_measured_where_it_is_asked_for(runs):
    how = {"num_samples": 3, "num_images": 30, "labels": "label"}
    with hasty_classifiers():
        asked, whole = [compare(runs("plain"), **how, beside=m) for m in (SEEN, [])]
    (line,) = [s for s in asked.lines if (s.score.metric, s.score.part, s.score.model) == (*SEEN, "", "")]
    for run, value in zip(asked.against.runs, line.seeds, strict=True):
        assert measure(run, ask(run, num_samples=3, num_images=30, labels="label"), SEEN).score(*SEEN).value == value
    assert {s.score.metric for s in whole.lines} <= {s.score.metric for s in asked.lines}


def test_a_run_alone_in_its_folder_that_is_called_by_its_seed_has_the_folders_name(place, tmp_path):
    for name in ("gauss", "scaled"):
        shutil.copytree(place / name, tmp_path / name / "seed-0")
    shutil.copytree(place / "divided", tmp_path / "seed-7")
    entries = entries_of(load_all(find_runs([tmp_path])[0]))
    assert [entry.name for entry in entries] == ["gauss", "scaled", "seed-7"]


def test_nothing_stands_alone(runs):
    two = compare(runs("gauss", "binary"), num_samples=2, metrics=["bits_per_dim", "elbo", "mse"])
    left_out = reasons(two)
    assert {left_out["bits_per_dim", name] for name in ("gauss", "binary")} == {"it cannot be computed of gauss"}
    assert left_out["mse", "gauss"] == left_out["mse", "binary"]
    assert {names for _, names in two.reasons()} == {()}
    three = reasons(compare(runs("gauss", "binary", "scaled"), num_samples=2, metrics=["mse"]))
    assert three["mse", "gauss"] == "no other can be set beside it"


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("gauss", "other-images"), r"the images of .*other-images should be those of .*gauss .*, got others .*"),
        (("gauss", "no-held-out"), r"the run .*no-held-out should have held-out images, got none\..*"),
        (("apart", "divided"), r"the runs should have held-out images in common, got none in all 2.*"),
        (("gauss",), "RUN should be at least 2 runs, or a folder of them, got 1."),
        (("gauss", "gauss"), "RUN should name each run once, got .*gauss twice."),
        (("gauss", "nowhere"), ".*nowhere should be a run, or a folder of runs, got nothing there."),
    ],
)
def test_what_is_refused_is_one_sentence(names, said, place, capsys):
    assert main(["compare", *(str(place / name) for name in names), "-o", str(place / "x.html"), "--quiet"]) == 2
    message = capsys.readouterr().err.strip()
    assert re.fullmatch(said, message), message
    assert not (place / "x.html").exists()


def test_against_names_a_run_a_seed_or_a_folder(runs, place):
    some = runs("plain", "gauss")
    for against in (place / "plain", place / "plain" / "seed-1", "plain"):
        assert compare(some, against=against, num_samples=2, metrics=["mse"]).against.name == "plain"
    with pytest.raises(InputError, match=r"against should be a known name, got 'beta'\. Known: gauss, plain"):
        compare(some, against="beta", num_samples=2)


def test_runs_in_a_folder_without_a_checkpoint_are_left_out(place, tmp_path):
    for name in ("a", "b/seed-0"):
        shutil.copytree(place / "gauss", tmp_path / name)
    shutil.copytree(place / "gauss", tmp_path / "c")
    shutil.rmtree(tmp_path / "c" / "checkpoints")
    found, unready = find_runs([tmp_path])
    assert found == [tmp_path / "a", tmp_path / "b/seed-0"]
    assert unready == [tmp_path / "c"]


def test_a_question_of_named_rows_has_a_folder_of_its_own_and_others_keep_theirs(place):
    run = load(place / "gauss")
    held_out, some = run.splits.test, run.splits.test[:7]
    assert ask(run, rows=held_out) == ask(run)
    assert "rows" not in ask(run).record()
    question = ask(run, rows=some, num_samples=2)
    assert question.name.startswith("rows-7-images-2-samples-")
    measured = measure(run, question, ["mse"])
    np.testing.assert_array_equal(measured.rows, some)
    np.testing.assert_array_equal(rows_of(run, question), some)
    record = json.loads((run.folder / "results" / question.name / "scores.json").read_text())
    assert len(record["question"]["rows"].split(",")) <= 7


def test_the_page_and_the_table_by_the_command_line(place, tmp_path, capsys):
    shutil.copytree(place / "gauss", tmp_path / NASTY.replace("/", "-"))
    argv = [str(place / "plain"), str(place / "beta"), str(tmp_path), "-o", str(tmp_path / "c.html")]
    assert main(["compare", *argv, "--num-samples", "2", "--num-images", "9"]) == 0
    said = capsys.readouterr()
    assert "Not compared: fit: it sets" in said.out
    assert "Trained once" in said.err
    document, table = (tmp_path / "c.html").read_text(), pd.read_csv(tmp_path / "c.csv")
    assert "<script>alert" not in document
    assert document.count("data:image/png") == 8
    mine = table[(table["metric"] == "mse") & (table["entry"] == "beta") & table["model"].isna()]
    assert mine["part"].fillna("").tolist() == ["", "DNA", "actin"]
    assert (mine["num_seeds"] == 2).all()
    assert set(table["model"].dropna()) == {"PCA", "mean image"}
    assert "objective.rate_weight" in document.replace("<wbr>", "")


def test_one_experiment_alone_has_a_page_without_differences(runs):
    comparison = compare(runs("plain"), num_samples=2, num_images=6)
    assert all(line.difference is None for line in comparison.lines)
    assert "3 runs of 1 model" in render(comparison)


def test_several_runs_are_not_results(place, capsys):
    assert main(["results", "a", "b"]) == 2
    assert capsys.readouterr().err.strip().endswith("vaelab compare a b")


def test_replace_of_a_question_keeps_its_rows(place):
    question = ask(load(place / "gauss"), rows=np.array([1, 5, 6]))
    assert (question.rows, replace(question, seed=3).rows) == ("1,5-6", "1,5-6")


def test_codes_of_seeds_and_of_models_are_laid_over_each_other(runs):
    comparison = compare(runs("plain", "beta", "gauss"), num_samples=2, metrics=["active_units"])
    found = {(p.entry, p.other): p for p in comparison.pairings}
    assert {names: len(p.pairs) for names, p in found.items()} == {
        ("plain", "plain"): 3, ("beta", "beta"): 1, ("beta", "plain"): 6, ("gauss", "plain"): 3,
    }  # fmt: skip
    codes = [measure(run, ask(run, num_samples=2), ["active_units"]).codes for run in runs("plain")]
    left = [scipy_procrustes(codes[i], codes[j])[2] for i, j in ((0, 1), (0, 2), (1, 2))]
    assert found["plain", "plain"].values("agreement_unexplained") == pytest.approx(left, abs=1e-6)
    table = comparison.table().set_index(["metric", "entry", "part"])
    assert table.loc[("agreement_unexplained", "plain", "among seeds"), "value"] == pytest.approx(np.mean(left), 1e-4)
    assert table.loc[("agreement_neighbours", "gauss", "with plain"), "null"] == 10 / 39
    page = render(comparison)
    assert "Do the codes agree?" in page
    assert page.count("Latents of plain, matched over 3 seeds") == 1


def test_latents_are_matched_before_they_are_averaged(runs):
    """Of a run and itself with latents exchanged and one turned round, nothing is left to average over."""
    run = runs("plain/seed-0", "plain/seed-1")[0]
    measured = measure(run, ask(run, num_samples=2))
    arrays = dict(measured.arrays)
    arrays["codes"] = arrays["codes"][:, ::-1] * [1, -1]
    arrays["latent_rates"] = arrays["latent_rates"][:, ::-1]
    entry = Entry(name="twice", place=run.folder, runs=(run, run))
    (shared,) = shared_latents([entry], {"twice": [measured, replace(measured, arrays=arrays)]})
    assert shared.correlations == pytest.approx(np.ones((1, 2)))
    np.testing.assert_allclose(shared.rates[1], shared.rates[0])
    np.testing.assert_allclose(shared.entanglement, np.corrcoef(measured.codes.T), atol=1e-6)
