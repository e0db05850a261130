"""The scikit-learn face: a variational autoencoder as a transformer.

from vaelab.sklearn import VAEEmbedding

make_pipeline(VAEEmbedding(n_components=8), LogisticRegression()).fit(X, y)
"""

from __future__ import annotations

from vaelab.sklearn.embedding import VAEEmbedding

__all__ = ["VAEEmbedding"]
