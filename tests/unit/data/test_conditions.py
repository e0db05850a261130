"""Conditions: from a table's columns to what encoder and decoder read."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from vaelab.data.conditions import Condition, encode_conditions, fit_conditions
from vaelab.errors import InputError
from vaelab.inference import embed, reconstruct, sample
from vaelab.models import TwoStageConfig, VAEConfig
from vaelab.networks.conv import ConvDecoder, ConvEncoder
from vaelab.networks.mlp import MLPDecoder, MLPEncoder

TABLE = pd.DataFrame(
    {"drug": ["b", "a", "b", "a"], "dose": [1.0, 3.0, 5.0, 100.0], "plate": [1, 2, 1, 2], "gap": ["x", None, "x", "x"]}
)
TRAIN = np.arange(3)
MLP = VAEConfig(latent_dim=2, encoder=MLPEncoder(hidden=(8,)), decoder=MLPDecoder(hidden=(8,)))
CONV = VAEConfig(latent_dim=2, encoder=ConvEncoder(widths=(8, 8)), decoder=ConvDecoder(widths=(8, 8)))
TWO = TwoStageConfig(first=CONV, second=MLP)


def test_categories_are_one_hot_and_numbers_standardised_on_the_training_rows():
    found = encode_conditions(fit_conditions(("drug", "dose"), TABLE, TRAIN), TABLE)
    assert found[:, :2].tolist() == [[0, 1], [1, 0], [0, 1], [1, 0]]
    assert found[:, 2] == pytest.approx((TABLE["dose"] - 3) / np.std([1, 3, 5]))
    assert found.dtype == np.float32


def test_whole_numbers_are_categories_unless_said_otherwise():
    category, number = fit_conditions(("plate", "plate:number"), TABLE, TRAIN)
    assert category.categories == ("1", "2")
    assert number.categories == ()
    assert category.encode([2.0]).tolist() == category.encode(["2"]).tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("columns", "train", "sentence"),
    [
        (("drog",), TRAIN, r"data.condition should be a known name, got 'drog'. .*did you mean drug\?"),
        (("drug:number",), TRAIN, "hold a number for every image, got others. Say drug:category"),
        (("gap",), TRAIN, "have a value for every image, got 1 missing"),
        (
            ("drug",),
            np.array([0]),
            "among the training images, got 'a' in held-out ones only. Set data.split",
        ),
    ],
)
def test_a_column_that_cannot_be_a_condition_is_refused(columns, train, sentence):
    with pytest.raises(InputError, match=sentence):
        fit_conditions(columns, TABLE, train)


def test_an_unknown_category_is_named():
    with pytest.raises(InputError, match=r"column 'drug' should be a known name, got 'taxl'. Known: taxol; did you"):
        Condition(column="drug", categories=("taxol",)).encode(["taxl"])


@pytest.mark.parametrize("config", [MLP, CONV, TWO], ids=["mlp", "conv", "two stages"])
def test_encoder_and_decoder_both_read_the_condition(config):
    torch.manual_seed(0)
    model = config.build((1, 8, 8), num_conditions=3).eval()
    x, c = torch.rand(4, 1, 8, 8), torch.eye(3)[[0, 1, 2, 0]]
    for one, other in ((model.given(c), model.given(c.roll(1, 1))),):
        assert not torch.equal(one.encode(x).mean, other.encode(x).mean)
        z = torch.zeros(4, model.latent_dim)
        assert not torch.equal(one.decode(z).mean, other.decode(z).mean)
    with pytest.raises(InputError, match="the model should be given the conditions of its images, got none"):
        model.encode(x)
    with pytest.raises(InputError, match="be one for all 3 images"):
        model.given(c[:2]).encode(x[:3])


def test_each_image_goes_with_its_own_condition_batch_by_batch_and_draw_by_draw():
    torch.manual_seed(0)
    model = CONV.build((1, 8, 8), num_conditions=3).eval()
    x, c = torch.rand(7, 1, 8, 8), torch.randn(7, 3)
    alone = np.concatenate([embed(model.given(c[i : i + 1]), x[i : i + 1]).loc for i in range(7)])
    np.testing.assert_allclose(embed(model.given(c), x, batch_size=3).loc, alone, rtol=1e-5, atol=1e-6)
    together = reconstruct(model.given(c), x, batch_size=2)
    np.testing.assert_allclose(together[4], reconstruct(model.given(c[4:5]), x[4:5])[0], rtol=1e-4, atol=1e-6)
    z = torch.randn(5, 7, 2)
    draws = model.given(c).decode(z.flatten(0, 1)).mean.view(5, 7, 1, 8, 8)
    torch.testing.assert_close(draws[3, 6], model.given(c[6:]).decode(z[3, 6:]).mean[0], rtol=1e-4, atol=1e-6)


def test_the_given_model_shares_its_weights_and_leaves_the_other_alone():
    model = TWO.build((1, 8, 8), num_conditions=1)
    given = model.given(torch.zeros(1, 1))
    assert model.conditions is None
    assert model.first.conditions is None
    assert given.first.conditions is not None
    assert [a is b for a, b in zip(model.parameters(), given.parameters(), strict=True)].count(False) == 0
    assert set(model.state_dict()) == set(given.state_dict())
    assert sample(given, 3).shape == (3, 1, 8, 8)


def test_a_model_without_conditions_takes_none():
    model = MLP.build((1, 8, 8))
    assert model.given(None) is model
    with pytest.raises(InputError, match="conditions should be 0 numbers per image for this model, got 3"):
        model.given(torch.zeros(1, 3))
