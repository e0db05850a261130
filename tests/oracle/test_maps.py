"""Maps in two dimensions against scikit-learn, and their scores."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness

from vaelab.errors import InputError
from vaelab.evaluation import neighbourhood, project, projections

X = load_digits().data[:100] / 16


def test_pca_is_that_of_scikit_learn_and_the_same_for_few_columns():
    np.testing.assert_allclose(np.abs(project(X, "PCA")), np.abs(PCA(2).fit_transform(X)), atol=1e-6)
    alone = project(X[:, 20:21], "PCA")
    np.testing.assert_allclose(np.abs(alone[:, 0]), np.abs(X[:, 20] - X[:, 20].mean()), atol=1e-9)
    assert not alone[:, 1].any()
    assert not project(np.ones((9, 3)), "PCA").any()


def test_tsne_keeps_neighbours_better_than_pca_and_is_the_same_each_time():
    points = project(X, "t-SNE")
    scores = [score.value for score in neighbourhood(points, X)]
    assert scores[0] == pytest.approx(trustworthiness(X, points, n_neighbors=10), abs=1e-4)
    assert scores[1] == pytest.approx(trustworthiness(points, X, n_neighbors=10), abs=1e-4)  # continuity
    worse = [score.value for score in neighbourhood(project(X, "PCA"), X)]
    assert scores[0] > worse[0] + 0.02
    assert scores[2] > worse[2] + 0.1
    np.testing.assert_array_equal(project(X[:20], "t-SNE"), project(X[:20], "t-SNE"))


@pytest.mark.skipif(not find_spec("umap"), reason="umap-learn is an extra")
@pytest.mark.slow
def test_umap_keeps_neighbours_better_than_pca():
    better, worse = (neighbourhood(project(X, name), X) for name in ("UMAP", "PCA"))
    assert better[0].value > worse[0].value + 0.02


def test_few_images_and_duplicates_have_maps():
    assert np.isfinite(project(X[:5], "t-SNE")).all()
    assert np.isfinite(project(np.repeat(X[:3], 4, axis=0), "t-SNE")).all()


def test_what_cannot_be_mapped_is_refused(monkeypatch):
    with pytest.raises(InputError, match="numbers should be finite, of 5 images or more, got 4 images"):
        project(X[:4], "PCA")
    with pytest.raises(InputError, match="be finite"):
        project(np.full((9, 2), np.nan), "PCA")
    with pytest.raises(InputError, match=r"got 'umap'\. Known: PCA, UMAP, t-SNE"):
        project(X, "umap")
    monkeypatch.setattr("vaelab.evaluation.maps.find_spec", lambda name: None)
    assert projections() == ("PCA", "t-SNE")
    with pytest.raises(InputError, match=r"be one that is installed, got UMAP. pip install 'vaelab\[umap\]'"):
        project(X, "UMAP")
