"""What holds for every model."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from torch.distributions import Independent

from vaelab.catalogue import members
from vaelab.distributions import rate
from vaelab.errors import InputError
from vaelab.models import Model, ModelConfig, VAEConfig, evaluating, models_in
from vaelab.networks.mlp import MLPDecoder, MLPEncoder
from vaelab.priors.mixture import MixturePrior
from vaelab.settings.fields import field_types
from vaelab.settings.record import from_record, to_record

SHAPES = [(1, 8, 8), (3, 4, 6)]
SMALL = VAEConfig(latent_dim=3, encoder=MLPEncoder(hidden=(9,)), decoder=MLPDecoder(hidden=(9,)))


def smaller(config: ModelConfig) -> ModelConfig:
    """The setting with small networks, wherever it has any."""
    vaes = [name for name, kind in field_types(type(config)).items() if kind is VAEConfig]
    inner = {name: replace(SMALL, latent_dim=getattr(config, name).latent_dim) for name in vaes}
    return replace(SMALL, **inner) if isinstance(config, VAEConfig) else replace(config, **inner)


def kinds() -> dict[str, ModelConfig]:
    """Every model, by its defaults and by each word that it has a choice of."""
    found = {}
    for name, cls in members(ModelConfig).items():
        found[name] = smaller(cls())
        if "embed" in field_types(cls):
            found[f"{name}, single"] = replace(found[name], embed="single")
    return found


KINDS = kinds()


@pytest.fixture(params=KINDS)
def config(request):
    return KINDS[request.param]


@pytest.fixture(params=SHAPES, ids=["grey", "colour"])
def shape(request):
    return request.param


@pytest.fixture
def model(config, shape):
    torch.manual_seed(1)
    return config.build(shape).eval()


@pytest.fixture
def x(shape):
    return (torch.rand(5, *shape, generator=torch.Generator().manual_seed(2)) > 0.5).float()


def test_every_member_is_tried():
    assert {name.partition(",")[0] for name in KINDS} == set(members(ModelConfig))


def test_its_setting_is_read_back_from_its_record_and_says_what_it_makes(config):
    assert from_record(ModelConfig, to_record(config)) == config
    assert type(config).known_as


def test_it_is_a_prior_a_posterior_and_a_likelihood(model, shape, x):
    assert model.image_shape == shape
    assert (model.prior.batch_shape, model.prior.event_shape) == ((), (model.latent_dim,))
    q = model.encode(x)
    assert isinstance(q, Independent)
    assert (q.batch_shape, q.event_shape) == ((5,), (model.latent_dim,))
    p = model.decode(q.rsample())
    assert (p.batch_shape, p.event_shape) == ((5,), shape)
    for nats in (p.log_prob(x), rate(q, model.prior, q.rsample())):
        assert nats.shape == (5,)
        assert nats.isfinite().all()
    assert p.mean.dtype == q.mean.dtype == torch.float32


def test_an_image_is_encoded_and_decoded_whatever_the_others_are(model, x):
    z = torch.randn(5, model.latent_dim)
    together, means = model.encode(x), model.decode(z).mean
    for i in range(5):
        torch.testing.assert_close(model.encode(x[i : i + 1]).mean[0], together.mean[i])
        torch.testing.assert_close(model.decode(z[i : i + 1]).mean[0], means[i])
    assert not torch.equal(together.mean[0], together.mean[1])


def test_its_stages_are_models_of_the_same_images_and_the_last_is_itself(config, model, shape, x):
    stages, settings = model.stages(), config.stages()
    assert list(stages) == list(settings)
    *before, last = stages.values()
    assert last is model
    assert list(settings.values())[-1] is config or before
    assert (list(stages) == [""]) == (not before)
    assert all(name.isidentifier() for name in stages) or not before
    for stage in stages.values():
        assert isinstance(stage, Model)
        assert stage.image_shape == shape
        q = stage.encode(x)
        assert stage.decode(q.mean).log_prob(x).isfinite().all()
        assert rate(q, stage.prior, q.rsample()).isfinite().all()
    inside = {id(part) for part in models_in(model)}
    assert all(id(stage) in inside for stage in before)


def test_the_setting_of_a_stage_makes_a_model_of_that_stages_latents(config, model, shape):
    for name, setting in config.stages().items():
        assert setting.build(shape).latent_dim == model.stages()[name].latent_dim


def test_what_it_codes_has_a_shape(model, shape):
    """The image, or the latents of a stage before."""
    earlier = [(stage.latent_dim,) for stage in model.stages().values() if stage is not model]
    assert model.coded_shape in [shape, *earlier]


def test_its_gradient_reaches_every_parameter(model, x):
    for stage in model.stages().values():
        q = stage.encode(x)
        z = q.rsample()
        (rate(q, stage.prior, z) - stage.decode(z).log_prob(x)).sum().backward()
    still = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert still == []


def test_the_same_generator_makes_the_same_weights_and_saved_ones_the_same_model(config, model, shape, x):
    torch.manual_seed(1)
    again = config.build(shape).eval()
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True))
    other = config.build(shape).eval()
    assert not torch.equal(other.encode(x).mean, model.encode(x).mean)
    other.load_state_dict(model.state_dict())
    assert torch.equal(other.encode(x).mean, model.encode(x).mean)
    z = torch.randn(5, model.latent_dim)
    assert torch.equal(other.decode(z).mean, model.decode(z).mean)


def test_under_conditions_it_is_the_same_model_given_them(config, shape, x):
    torch.manual_seed(1)
    model = config.build(shape, num_conditions=2).eval()
    c = torch.eye(2)[torch.tensor([0, 1, 0, 1, 1])]
    given = model.given(c)
    assert model.conditions is None, "it is left as it was"
    assert all(a is b for a, b in zip(model.parameters(), given.parameters(), strict=True))
    assert list(given.stages()) == list(model.stages())
    z = torch.zeros(5, model.latent_dim)
    for stage in given.stages().values():
        turned = given.given(1 - c).stages()[next(n for n, s in given.stages().items() if s is stage)]
        assert not torch.equal(stage.encode(x).mean, turned.encode(x).mean)
    assert torch.equal(given.decode(z).mean[0], given.decode(z).mean[2])
    assert not torch.equal(given.decode(z).mean[0], given.decode(z).mean[1])
    torch.testing.assert_close(given.part(1, 3).encode(x[1:3]).mean, given.encode(x).mean[1:3])
    for wrong in (None, c[:, :1]):
        with pytest.raises(InputError, match="conditions should be 2 numbers per image"):
            model.given(wrong)
    with pytest.raises(InputError, match="should be given the conditions of its images"):
        model.encode(x)


def test_without_conditions_it_is_given_none(model, x):
    assert model.given(None) is model
    with pytest.raises(InputError, match="conditions should be 0 numbers per image"):
        model.given(torch.ones(5, 2))


def test_looking_at_it_leaves_every_part_as_it_was(model, x):
    model.train()
    model.set_network_dtype(torch.bfloat16)
    with evaluating(model):
        assert not any(part.training for part in model.modules())
        assert {part.network_dtype for part in models_in(model)} == {torch.float32}
        assert not model.encode(x).mean.requires_grad
    assert all(part.training for part in model.modules())
    assert {part.network_dtype for part in models_in(model)} == {torch.bfloat16}


def test_in_low_precision_what_comes_out_is_float32_and_nearly_the_same(model, x):
    plain = model.encode(x).mean
    model.set_network_dtype(torch.bfloat16)
    rough = model.encode(x).mean
    assert rough.dtype == model.decode(rough).log_prob(x).dtype == torch.float32
    assert not torch.equal(rough, plain)
    torch.testing.assert_close(rough, plain, rtol=0.1, atol=0.05)


def test_a_prior_that_learns_begins_from_the_codes_of_images(config, shape):
    """In whichever stage it stands; one that does not learn stays as it is."""
    images = torch.rand(60, *shape, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    fixed = config.build(shape)
    before = copy.deepcopy(fixed.state_dict())
    fixed.start_prior(images, seed=1)
    assert not fixed.learns_prior
    assert all(torch.equal(value, before[name]) for name, value in fixed.state_dict().items())
    for name, setting in config.stages().items():
        learned = replace(setting, prior=MixturePrior(num_components=3))
        torch.manual_seed(0)
        model = (learned if name == "" else replace(config, **{name: learned})).build(shape)
        assert model.learns_prior
        stage = model.stages()[name]
        before = stage.prior.log_prob(torch.zeros(stage.latent_dim)).item()
        weights = {key: value.clone() for key, value in model.state_dict().items()}
        model.start_prior(images, seed=1)
        assert stage.prior.log_prob(torch.zeros(stage.latent_dim)).item() != before
        moved = {key for key, value in model.state_dict().items() if not torch.equal(value, weights[key])}
        assert moved
        assert all("prior" in key for key in moved)
