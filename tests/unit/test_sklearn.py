"""The scikit-learn face."""

from __future__ import annotations

from sklearn.utils.estimator_checks import parametrize_with_checks

from vaelab.networks.mlp import MLPDecoder, MLPEncoder
from vaelab.sklearn import VAEEmbedding

SMALL = {"encoder": MLPEncoder(hidden=(16,)), "decoder": MLPDecoder(hidden=(16,))}


@parametrize_with_checks([VAEEmbedding(num_epochs=2, num_samples=5, **SMALL), VAEEmbedding(num_epochs=2)])
def test_it_does_all_that_scikit_learn_expects(estimator, check):
    check(estimator)
