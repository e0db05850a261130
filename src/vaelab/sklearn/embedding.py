"""A variational autoencoder as a transformer."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, no_type_check

import numpy as np
import torch
from scipy.special import logsumexp
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags, check_array, check_random_state
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from vaelab.catalogue import name_of
from vaelab.errors import InputError
from vaelab.inference import decode_mean
from vaelab.likelihoods import Likelihood
from vaelab.machine import Device
from vaelab.models import Model, device_of, evaluating
from vaelab.networks import Decoder, Encoder
from vaelab.objectives.elbo import ELBO
from vaelab.screen import Steps
from vaelab.sklearn._parameters import checked, model_config
from vaelab.sklearn._units import measure, read
from vaelab.sklearn._weights import log_weights
from vaelab.training.device import find_device
from vaelab.training.fit import fit

_AT_ONCE = 256
"""Samples, or draws, that go through the networks at once."""


class VAEEmbedding(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """A variational autoencoder that takes part in pipelines and searches: X becomes the posteriors' means.

        y = (x - lo) / span;  z ~ N(0, I);  y ~ p(y | decoder(z));  transform(x) = E[q(z|y)]

    X is flat, (sample, feature), or made of images, (sample, height, width) or (sample, channel, height, width). Its
    values are any numbers: lo and span come from the smallest and largest value of each feature, or of each channel of
    images, in the X of `fit`. Later samples are not clipped. What comes back is in the units of X.

    The networks train in float32; a fitted model computes in float64, so that a sample's result does not depend on
    which others are beside it.

    Args:
        n_components: Latents.
        encoder: The network from a sample to its posterior; None: fully connected layers.
        decoder: The network from latents to the likelihood; None: fully connected layers.
        likelihood: p(y|z); None: a Gaussian around what the decoder says, its scale learnt for each feature or channel.
        image_shape: (height, width) or (channel, height, width) of the images that the rows of a flat X are.
        value_range: The values that become 0 and 1, for all features; None: measured. A likelihood of grey levels, or
            of black and white, needs it, for these are at places of their own.
        rate_weight: Weight of the rate, beta. `score` is the ELBO whatever it is.
        num_epochs: Passes over the training samples, at most.
        batch_size: Samples in an optimiser step.
        learning_rate: Adam's step size.
        validation_fraction: Share of the samples that chooses the weights and stops the training; 0: all train, and the
            last weights count.
        patience: Passes without a better validation after which training stops; None: it never stops early.
        num_samples: Draws of the posterior for each sample, in `score` and `score_samples`.
        random_state: Of the split, the weights, the order and the noise: a whole number for the same model each time.
        device: auto, cpu or cuda. A fitted estimator that is pickled comes back on the CPU.
        verbose: Show a bar while it trains.

    Attributes:
        model_: The `vaelab` model, of images in [0, 1]; a flat sample is an image of one pixel with many channels.
        history_: The terms as training went (a table; see `vaelab.training.fit`).
        units_: lo and span of each channel, and the shapes of a sample and of its image.
        n_features_in_: Length of X's second axis.
        feature_names_in_: Names of X's columns, where X was a table.

    *Source*: Kingma and Welling 2014 (https://arxiv.org/abs/1312.6114).

    >>> X = np.random.default_rng(0).normal(size=(100, 5))
    >>> embedding = VAEEmbedding(n_components=2, num_epochs=3, random_state=0).fit(X)
    >>> embedding.transform(X).shape, embedding.get_feature_names_out().tolist()
    ((100, 2), ['vaeembedding0', 'vaeembedding1'])
    """

    @no_type_check  # scikit-learn wants whatever is given to be kept, and checked by fit
    def __init__(
        self,
        n_components: int = 2,
        *,
        encoder: Encoder | None = None,
        decoder: Decoder | None = None,
        likelihood: Likelihood | None = None,
        image_shape: tuple[int, ...] | None = None,
        value_range: tuple[float, float] | None = None,
        rate_weight: float = 1.0,
        num_epochs: float = 100.0,
        batch_size: int = 64,
        learning_rate: float = 1e-3,
        validation_fraction: float = 0.1,
        patience: int | None = 10,
        num_samples: int = 100,
        random_state: int | np.random.RandomState | None = None,
        device: Device = "auto",
        verbose: bool = False,
    ):
        self.n_components = n_components
        self.encoder = encoder
        self.decoder = decoder
        self.likelihood = likelihood
        self.image_shape = image_shape
        self.value_range = value_range
        self.rate_weight = rate_weight
        self.num_epochs = num_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.num_samples = num_samples
        self.random_state = random_state
        self.device = device
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None) -> VAEEmbedding:
        """Trains the model on X; y is not read.

        Raises:
            InputError: A parameter is out of range, or the parts do not go with X; a `ValueError`, as scikit-learn's.
        """
        given = self.get_params(deep=False)
        parameters, config = checked(given), model_config(given)
        find_device(parameters.device, "device")
        X = read(self, X, reset=True, ensure_min_samples=2)
        self.units_ = measure(X, parameters.image_shape, parameters.value_range)
        self._seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        with Steps("training", shown=bool(self.verbose)) as bar:
            fitted = fit(
                self.units_.images(X).astype(np.float32),
                config,
                ELBO(rate_weight=parameters.rate_weight),
                parameters.training,
                parameters.machine,
                validation=parameters.validation_fraction,
                seed=self._seed,
                listeners=[lambda state: bar.show(state.step, state.num_steps)],
            )
        self.model_, self.history_ = fitted.model, fitted.history
        return self

    def transform(self, X: Any) -> np.ndarray:
        """(sample, latent), float32: the mean of each sample's posterior."""
        X = self._known(X)
        with self._frozen() as model:
            means = [model.encode(x).mean.cpu() for x in self._batches(X)]
        return torch.cat(means).float().numpy()

    def inverse_transform(self, Z: Any) -> np.ndarray:
        """The samples that the decoder expects of these latents, E[x|z], shaped as those of `fit` and in their units.

        Args:
            Z: (sample, latent).
        """
        check_is_fitted(self)
        Z = np.asarray(check_array(Z, dtype="float64"))
        if Z.shape[1] != self._n_features_out:
            raise InputError("Z", f"have a column for each of the {self._n_features_out} latents", Z.shape[1])
        with self._frozen() as model:
            return self.units_.samples(decode_mean(model, torch.from_numpy(Z).to(device_of(model)), _AT_ONCE))

    def score(self, X: Any, y: Any = None) -> float:
        """The mean ELBO of the samples, in nats per sample and in the units of X: higher is better.

            mean over samples and draws of  log p(x|z) + log p(z) - log q(z|x),  z ~ q(z|x)

        At most the mean of `score_samples`, where units, support and draws are told.
        """
        return float(np.concatenate([weights.mean(0) for weights in self._log_weights(X)]).mean())

    def score_samples(self, X: Any) -> np.ndarray:
        """(sample,), float64: the importance-weighted estimate of log p(x), in nats; too low rather than too high.

            log (1/K) sum_k p(x|z_k) p(z_k) / q(z_k|x),  z_k ~ q(z|x),  K = num_samples

        In the units of X: where the likelihood is a density, p(x) = p(y) / product over features of span, so models
        with different scalings can be compared, and X in another unit gives another number. A likelihood of grey
        levels, or of black and white, gives probabilities, which have no unit. A sample that the likelihood does not
        know, such as one below lo where it lives on [0, 1], gets -inf.

        The draws follow from the sample's own values: the same for the same sample, whichever others are beside it.

        Raises:
            InputError: The likelihood is not normalised, so there is no p(x).

        *Source*: Burda et al. 2016, theorem 1 (https://arxiv.org/abs/1509.00519).
        """
        return np.concatenate([logsumexp(weights, axis=0) - np.log(len(weights)) for weights in self._log_weights(X)])

    def __sklearn_tags__(self) -> Tags:
        """What scikit-learn may expect: dense, finite samples of two to four axes; float32 latents."""
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        assert tags.transformer_tags is not None
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def __getstate__(self) -> dict[str, Any]:
        """With the model on the CPU, so that it can be read on another machine."""
        state: Any = super().__getstate__()
        return {**state, "model_": copy.deepcopy(self.model_).cpu()} if "model_" in state else state

    @property
    def _n_features_out(self) -> int:
        return self.model_.latent_dim

    def _known(self, X: Any) -> np.ndarray:
        """Samples such as those of `fit`."""
        check_is_fitted(self)
        X = read(self, X, reset=False)
        if X.shape[1:] != self.units_.sample_shape:
            raise InputError("X", f"hold samples of shape {self.units_.sample_shape}, as in fit", X.shape[1:])
        return X

    def _batches(self, X: np.ndarray) -> Iterator[Tensor]:
        """Images of the samples, some at a time, in float64, where the model is."""
        for start in range(0, len(X), _AT_ONCE):
            images = self.units_.images(X[start : start + _AT_ONCE]).astype(np.float64)
            yield torch.from_numpy(images).to(device_of(self.model_))

    @contextmanager
    def _frozen(self) -> Iterator[Model]:
        """A copy of the model, in float64, for reading: another thread may use the same estimator."""
        model = copy.deepcopy(self.model_).double()
        with evaluating(model):
            yield model

    def _log_weights(self, X: Any) -> Iterator[np.ndarray]:
        """(draw, sample), some samples at a time: the logarithms of the importance weights, in the units of X."""
        X, num_draws = self._known(X), checked(self.get_params(deep=False)).num_samples
        likelihood = self.model_.likelihood
        if not likelihood.normalized:
            mend = "Take continuous_bernoulli for grey values."
            raise InputError("likelihood", "be normalised for there to be a score", name_of(likelihood), mend)
        volume = self.units_.log_volume if likelihood.space == "unit" else 0.0
        with self._frozen() as model:
            for x in self._batches(X):
                yield log_weights(model, x, num_draws, self._seed, _AT_ONCE) - volume
