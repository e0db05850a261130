"""The classifier that vaelab trains itself, what it sees, and how that is kept among a run's results."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from vaelab.cli import main
from vaelab.data import Scaling
from vaelab.data.feed import Feed
from vaelab.errors import InputError
from vaelab.evaluation import all_metrics
from vaelab.evaluation import classifier as module
from vaelab.evaluation.classifier import Classifier, fit_classifier, num_steps
from vaelab.evaluation.features import FEATURES, PCA, TRAINING_IMAGES, measure_features, see
from vaelab.models import VAEConfig
from vaelab.presets import find
from vaelab.runs import features, train
from vaelab.runs.question import ask
from vaelab.runs.results import folder_of, measure

OF_FEATURES = [metric for metric in all_metrics().values() if FEATURES & {*metric.needs}]


@pytest.fixture(scope="module", autouse=True)
def _few_steps():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_FEWEST_STEPS", 60)
        patch.setattr(module, "_PASSES", 5)
        yield


@pytest.fixture(scope="module")
def feed():
    """Stripes that lie, and stripes that stand, in noise."""
    random = np.random.default_rng(0)
    kinds = np.arange(120) % 2
    stripes = np.tile(np.arange(8) % 4 < 2, (8, 1)).astype(np.float32)
    images = np.stack([stripes if kind else stripes.T for kind in kinds])[:, None] * 0.6
    images = (images + 0.4 * random.random(images.shape)).astype(np.float32)
    return Feed(images, Scaling().fit(images, np.arange(120))), kinds


@pytest.fixture(scope="module")
def classifier(feed):
    return fit_classifier(feed[0], np.arange(80), feed[1][:80])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    preset = find("digits")
    quick = replace(preset, training=replace(preset.training, num_steps=20))
    return train(quick, tmp_path_factory.mktemp("run") / "a", progress=False)


def test_it_tells_new_images_and_the_same_seed_gives_the_same_one(feed, classifier):
    images, kinds = feed
    seen = classifier(images(np.arange(80, 120))).argmax(1).numpy()
    assert (seen == kinds[80:]).mean() > 0.95
    before = torch.get_rng_state()
    again = fit_classifier(images, np.arange(80), kinds[:80])
    assert torch.equal(torch.get_rng_state(), before)
    x = images(np.arange(9))
    assert torch.equal(classifier.features(x), again.features(x))


def test_its_features_vary_by_1_over_training_images(feed, classifier):
    seen = classifier.features(feed[0](np.arange(80))).detach()
    assert float(seen.var(0, unbiased=False).mean()) == pytest.approx(1, rel=1e-4)


@pytest.mark.parametrize("shape", [(1, 4, 4), (3, 8, 20), (2, 33, 9)])
def test_it_takes_images_of_any_size(shape):
    found = Classifier(shape, 3).eval()
    x = torch.rand(2, *shape)
    assert found.features(x).shape == (2, 64)
    torch.testing.assert_close(found(x), found.head(found.features(x) * found.scale))


def test_steps_grow_with_the_images_between_limits():
    assert [num_steps(count) for count in (10, 3200, 60_000)] == [60, 250, 2000]


def test_what_it_sees_is_what_it_says_of_images_and_reconstructions(feed, classifier):
    x = feed[0](np.arange(40))
    model = VAEConfig(latent_dim=2).build((1, 8, 8)).eval()
    found = see(model, classifier, x, lambda: feed[0](np.arange(80)), feed[0](np.arange(30)), batch_size=7)
    again = see(model, classifier, x, batch_size=40)
    own = found[""]
    with torch.no_grad():
        y = model.decode(model.encode(x).mean).mean
        np.testing.assert_allclose(own["image_features"], classifier.features(x), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(own["reconstruction_features"], classifier.features(y), rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(own["reconstruction_classes"], classifier(y).argmax(1))
    assert own["sample_features"].shape == own["image_features"].shape == (40, 64)
    np.testing.assert_allclose(again[""]["image_features"], own["image_features"], rtol=1e-4, atol=1e-5)
    assert {name: sorted(arrays) for name, arrays in found.items()} == {
        "": sorted(FEATURES - {"label_classes"}),
        PCA: ["reconstruction_classes", "reconstruction_features", "sample_features"],
        TRAINING_IMAGES: ["sample_features"],
    }


def test_images_of_the_same_kind_score_as_well_as_can_be(feed, classifier):
    """Better than PCA, and than a model that has learnt nothing."""
    model = VAEConfig(latent_dim=2).build((1, 8, 8)).eval()
    found = see(model, classifier, feed[0](np.arange(80, 120)), lambda: feed[0](np.arange(80)), feed[0](np.arange(40)))
    known = {"label_classes": feed[1][80:], "class_names": ("lying", "standing")}
    scores = {(s.metric, s.part, s.model): s for s in measure_features(found, known, OF_FEATURES)}
    for metric in OF_FEATURES:
        assert (metric.name, "", "") in scores
    for name in ("frechet_distance", "kernel_distance"):
        values = [scores[name, "", model].value for model in (TRAINING_IMAGES, PCA, "")]
        assert values == sorted(values)
    assert scores["sample_coverage", "", TRAINING_IMAGES].value > 0.8 > scores["sample_coverage", "", ""].value
    assert scores["classifier_accuracy", "", ""].value > 0.95
    assert ("classifier_agreement", "standing", PCA) in scores
    assert ("classifier_accuracy", "", PCA) not in scores


def test_a_run_trains_it_once_and_only_where_it_is_asked_for(run, monkeypatch):
    question = ask(run, labels="label", num_images=60, num_samples=2)
    whole = measure(run, question, ["frechet_distance", "mse"])
    assert {score.metric for score in whole.scores} == {"frechet_distance", "mse", "classifier_accuracy"}
    assert {score.model for score in whole.scores if score.metric == "frechet_distance"} == {"", PCA, TRAINING_IMAGES}
    assert whole.score("classifier_accuracy").value > 0.9
    monkeypatch.setattr(features, "fit_classifier", None)
    assert measure(run, question, ["frechet_distance"]).scores
    assert measure(run, question, ["sample_recall"]).score("sample_recall").count == 60
    other = ask(run, num_images=60, num_samples=2)
    assert not measure(run, other, ["sample_recall"]).scores
    assert not {metric.name for metric in OF_FEATURES} & {score.metric for score in measure(run, other).scores}
    monkeypatch.setattr(features, "see", None)
    one = replace(question, num_images=61)
    assert measure(run, one, None).score("sample_recall") is None


def test_an_altered_classifier_and_labels_of_one_kind_are_refused(run, capsys):
    question = ask(run, labels="label", num_images=30, num_samples=2)
    measure(run, question, ["classifier_agreement"])
    (path,) = folder_of(run, question).parent.glob("classifier-*.safetensors")
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match="hold what was saved"):
        measure(run, question, ["sample_density"])
    path.unlink()
    run.dataset.collection.table["same"] = "a"
    with pytest.raises(InputError, match="labels should have 2 to 1000 kinds among the training images, got 1"):
        measure(run, ask(run, labels="same", num_images=30), ["sample_density"])
    assert main(["evaluate", str(run.folder), "--metrics", "mse", "sample_density"]) == 2
    assert "--labels should name a column of kinds for sample_density, got none." in capsys.readouterr().err
