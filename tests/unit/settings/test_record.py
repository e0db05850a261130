"""Parts to plain values and back, exactly, for every member of every family."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaelab.catalogue import name_of
from vaelab.errors import InputError
from vaelab.likelihoods import Likelihood
from vaelab.likelihoods.bernoulli import BernoulliLikelihood
from vaelab.models import ModelConfig, TwoStageConfig, VAEConfig
from vaelab.networks.mlp import MLPEncoder
from vaelab.objectives.elbo import ELBO
from vaelab.settings.fields import describe
from vaelab.settings.ranges import Settings
from vaelab.settings.record import digest, from_record, to_record
from vaelab.settings.text import override, parse_value


def refusal_of(make: Callable[[], object]) -> str:
    """The sentence with which something is refused; empty if it is not."""
    try:
        make()
    except InputError as refusal:
        return str(refusal)
    return ""


def test_the_hash_is_that_of_its_canonical_json():
    import hashlib

    text = '{"a":[1,0.5],"kind":"x"}'
    assert digest({"kind": "x", "a": [1.0, 0.5]}) == hashlib.sha256(text.encode()).hexdigest()


SCALE, WIDTH = "softplus, log_scale or a number (positive and finite)", "a whole number (at least 1)"
FIELDS = "decoder, encoder, latent_dim, likelihood, noise_latents, posterior_scale, prior"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"latent_dim": "abc"}, f"latent_dim should be {WIDTH}, got 'abc'."),
        ({"latent_dim": 2.0}, f"latent_dim should be {WIDTH}, got 2.0."),
        ({"latent_dim": True}, f"latent_dim should be {WIDTH}, got True."),
        ({"latent_dim": None}, f"latent_dim should be {WIDTH}, got None."),
        (
            {"latent_dmi": 2},
            f"latent_dmi should be a known name, got 'latent_dmi'. Known: {FIELDS}; did you mean latent_dim?",
        ),
        (
            {"posterior_scale": "soft"},
            "posterior_scale should be softplus, log_scale or a number (positive and finite), got 'soft'.",
        ),
        (
            {"encoder": {"kind": "mlp", "hidden": [64, "x"]}},
            f"encoder.hidden[1] should be {WIDTH}, got 'x'.",
        ),
        (
            {"encoder": {"kind": "mlp", "hidden": 64}},
            "encoder.hidden should be a list of whole numbers (each at least 1), got 64.",
        ),
        (
            {"encoder": {"kind": "mlp", "activation": "rulu"}},
            "encoder.activation should be a known name, got 'rulu'. "
            "Known: leaky_relu, relu, silu, tanh; did you mean relu?",
        ),
        ({"kind": "vea"}, "modelconfig should be a known name, got 'vea'. Known: two_stage, vae; did you mean vae?"),
    ],
)
def test_a_wrong_record_is_refused_in_one_sentence(settings, sentence):
    with pytest.raises(InputError) as refusal:
        from_record(ModelConfig, {"kind": "vae"} | settings)
    assert str(refusal.value) == sentence


def test_a_part_without_a_name_or_of_another_kind_is_refused():
    for record in ({}, {"kind": 3}, {"kind": None}, [], "vae", None):
        with pytest.raises(InputError, match="vae"):
            from_record(ModelConfig, record, "model")
    with pytest.raises(InputError, match=r"likelihood.* should be bernoulli, got 'gaussian'"):
        from_record(BernoulliLikelihood, {"kind": "gaussian"}, "likelihood")


@dataclass(frozen=True, kw_only=True)
class Inner(Settings):
    """Fields without a family."""

    limit: float | None = None
    """A number that may be infinite."""
    pair: tuple[int, float] = (1, 2.0)
    """Two values."""


@dataclass(frozen=True, kw_only=True)
class Outer(Settings):
    """A settings class with a required field."""

    words: str
    """Has no default."""
    inner: Inner = field(default_factory=Inner)
    """Nested."""
    maybe: Likelihood | None = None
    """A part, or none."""
    flag: bool = False
    """Yes or no."""


def test_infinity_is_kept_and_nan_refused():
    outer = Outer(words="a", inner=Inner(limit=math.inf))
    text = json.dumps(to_record(outer), allow_nan=False)
    assert from_record(Outer, json.loads(text)) == outer
    with pytest.raises(InputError, match=r"^limit should be a number or none, got nan"):
        Inner(limit=math.nan)
    with pytest.raises(InputError, match=r"inner.limit should be a number or none, got nan"):
        from_record(Outer, {"words": "a", "inner": {"limit": math.nan}})


def test_a_missing_field_without_a_default_is_named():
    with pytest.raises(InputError, match=r"^words should be text, got nothing. It has no default.$"):
        from_record(Outer, {})


def test_wrong_types_are_refused_in_python_too():
    with pytest.raises(InputError, match=r"^pair should be .* got \[1, 2.0\]. Give a tuple.$"):
        Inner(pair=[1, 2.0])  # pyright: ignore
    with pytest.raises(InputError, match=r"^pair should be a list of 2 \(a whole number, a number\), got \(1,\)"):
        Inner(pair=(1,))  # pyright: ignore
    with pytest.raises(InputError, match=r"^words should be text, got 3"):
        Outer(words=3)  # pyright: ignore


def test_a_part_from_outside_the_folders_cannot_be_written():
    class Own(BernoulliLikelihood):
        """Somebody's."""

    with pytest.raises(InputError, match=r"^maybe should be one of .*bernoulli.*, got Own. Save its class as a file"):
        to_record(Outer(words="a", maybe=Own()))


@given(st.floats(allow_nan=False))
def test_any_number_is_read_from_its_own_text(number):
    assert parse_value(float, repr(number), "x") == number


def test_parts_are_exchanged_before_their_fields_are_set_in_any_order():
    settings = [("likelihood.scale", "0.25"), ("likelihood", "gaussian")]
    one, other = override(VAEConfig(), settings), override(VAEConfig(), settings[::-1])
    assert one == other
    assert name_of(one.likelihood) == "gaussian"
    assert one.likelihood.scale == 0.25  # pyright: ignore


def test_naming_the_part_that_stands_there_changes_nothing():
    model = VAEConfig(encoder=MLPEncoder(hidden=(7,)))
    assert override(model, [("encoder", "mlp")]) == model


@pytest.mark.parametrize(
    ("path", "text", "sentence"),
    [
        ("latent-dim", "abc", f"latent_dim should be {WIDTH}, got 'abc'."),
        ("latent-dim", "1.5", f"latent_dim should be {WIDTH}, got '1.5'."),
        (
            "latent-dim.x",
            "1",
            f"latent_dim should be {WIDTH}, without fields of its own, got 'latent_dim.x'.",
        ),
        (
            "posterior_scale",
            "nan",
            "posterior_scale should be softplus, log_scale or a number (positive and finite), got 'nan'.",
        ),
        ("encoder.hidden", "64,,x", f"encoder.hidden[1] should be {WIDTH}, got 'x'."),
        ("prior", "", "prior should be a known name, got ''. Known: "),
        ("", "1", "'' should be a known name, got ''. Known: "),
        ("encoder..hidden", "1", "encoder.'' should be a known name, got ''. Known: "),
    ],
)
def test_a_wrong_override_is_refused_in_one_sentence(path, text, sentence):
    with pytest.raises(InputError) as refusal:
        override(VAEConfig(), [(path, text)])
    assert str(refusal.value).startswith(sentence)


def test_none_true_and_nested_fields_are_set():
    outer = Outer(words="a", inner=Inner(limit=2.0))
    assert override(outer, [("inner.limit", "none")]).inner.limit is None
    assert override(outer, [("inner.pair", "3, 0.5")]).inner.pair == (3, 0.5)
    assert override(outer, [("flag", "true"), ("flag", "False"), ("flag", "true")]).flag is True
    assert override(outer, [("maybe", "bernoulli")]).maybe == BernoulliLikelihood()
    with pytest.raises(InputError, match=r"maybe should be .* before a field of it is set"):
        override(outer, [("maybe.scale", "1")])
    with pytest.raises(InputError, match="flag should be true or false, got 'yes'"):
        override(outer, [("flag", "yes")])


@given(path=st.text(max_size=30), text=st.text(max_size=30))
def test_any_path_and_text_give_a_part_or_one_sentence(path, text):
    assert "\n" not in refusal_of(lambda: override(ELBO(), [(path, text)]))


def test_parts_in_a_list_are_named_and_set_by_their_names():
    settings = [("penalties.dip.weight", "5"), ("penalties", "dip,total-correlation"), ("penalties.dip.variant", "I")]
    dip, correlation = override(ELBO(), settings).penalties
    assert (dip.weight, dip.variant, correlation.weight) == (5.0, "I", 1.0)
    kept = override(override(ELBO(), settings), [("penalties.total-correlation.weight", "2")])
    assert [part.weight for part in kept.penalties] == [5.0, 2.0]


@pytest.mark.parametrize(
    ("path", "text", "sentence"),
    [
        ("penalties", "dap", "penalties[0] should be a known name, got 'dap'."),
        ("penalties.dip.weight", "1", "penalties.dip should be in the list before a field of it is set, got none."),
        ("penalties.dap.weight", "1", "penalties should be a known name, got 'dap'."),
    ],
)
def test_a_wrong_name_in_a_list_is_refused(path, text, sentence):
    with pytest.raises(InputError) as refusal:
        override(ELBO(), [(path, text)])
    assert str(refusal.value).startswith(sentence)


@dataclass(frozen=True, kw_only=True)
class Whole(Settings):
    """A part of a family."""

    model: ModelConfig = field(default_factory=VAEConfig)
    """The model."""


def test_a_part_that_was_exchanged_has_the_other_ones_defaults_below_it():
    found = override(Whole(), [("model.first.latent_dim", "7"), ("model", "two_stage")]).model
    assert found == replace(TwoStageConfig(), first=replace(TwoStageConfig().first, latent_dim=7))
    assert describe(VAEConfig) == "vae"
