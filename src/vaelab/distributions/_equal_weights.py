"""A mixture of Gaussians whose weights are held equal; apart, because scikit-learn takes long to import."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.mixture import GaussianMixture


class EqualWeights(GaussianMixture):
    """scikit-learn's mixture of Gaussians, fitted with every component weighing the same.

    The M-step for the means and covariances does not ask for the weights, so it stays as it is, and the likelihood
    still rises with every iteration.
    """

    def _equal(self) -> np.ndarray:
        return np.full(self.n_components, 1 / self.n_components)

    def _initialize_parameters(self, X: np.ndarray, *args: Any, **kwargs: Any) -> None:
        super()._initialize_parameters(X, *args, **kwargs)
        self.weights_ = self._equal()

    def _m_step(self, X: np.ndarray, *args: Any, **kwargs: Any) -> None:
        super()._m_step(X, *args, **kwargs)
        self.weights_ = self._equal()

    def _n_parameters(self) -> int:
        return super()._n_parameters() - (self.n_components - 1)
