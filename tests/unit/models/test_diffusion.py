"""The model that listens: what it is drawn from, what counts when, and its file."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from made_models import TINY_DIFFUSION, noise, tiny_diffusion
from synesthete.errors import ConfigError
from synesthete.models.diffusion import Conditions, Diffusion, DiffusionSpec
from synesthete.models.flow import Guidance, Solver
from synesthete.models.weights import load_diffusion, load_vae, read_weights, save_weights

SPARE = 6  # rows on each side that two layers reach


@pytest.fixture(scope="module")
def model() -> Diffusion:
    return tiny_diffusion()


@pytest.fixture(scope="module")
def conditions(model: Diffusion) -> Conditions:
    return Conditions(model.hear(noise(2, 5 + 2 * SPARE, 3)), model.styled(noise(2, 8)))


def test_latents_are_scaled_and_come_back(model: Diffusion) -> None:
    latents = noise(40, 4, 3, 5) * torch.tensor([0.5, 1.0, 2.0, 3.0])[:, None, None] - 2.0
    model.fit_scale(latents)
    scaled = model.scaled(latents)
    channels = scaled.transpose(0, 1).flatten(1)
    assert torch.allclose(channels.mean(dim=1), torch.zeros(4), atol=1e-5)
    assert torch.allclose(channels.std(dim=1), torch.ones(4), atol=1e-5)
    assert torch.allclose(model.unscaled(scaled), latents, atol=1e-5)
    clips = latents.view(8, 5, 4, 3, 5)
    assert torch.allclose(model.scaled(clips).flatten(0, 1), scaled)
    shares = torch.tensor([1.0, 0.7, 0.4, 0.3])
    model.fit_scale(latents, shares)
    scaled = model.scaled(latents)
    assert torch.allclose(scaled.transpose(0, 1).flatten(1).std(dim=1), shares, atol=1e-5)
    assert torch.allclose(model.unscaled(scaled), latents, atol=1e-5)
    model.fit_scale(latents)


def test_before_training_what_is_drawn_is_the_best_linear_guess() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        new = Diffusion(TINY_DIFFUSION)
    new.spread.copy_(torch.tensor([1.0, 0.5, 0.5, 0.1]))
    start = noise(2, 3, 4, 2, 2)
    nothing = Conditions(new.hear(noise(2, 5 + 2 * SPARE, 3)), new.styled(noise(2, 8)))
    drawn = new.sample(start, nothing, steps=200)
    for channel, share in enumerate(new.spread.tolist()):
        assert torch.allclose(drawn[:, :, channel], share * start[:, :, channel], rtol=0.05, atol=0.01)


def test_who_hears_nothing_hears_nothing(model: Diffusion) -> None:
    rows, other = noise(2, 5 + 2 * SPARE, 3, seed=1), noise(2, 5 + 2 * SPARE, 3, seed=2)
    deaf = torch.tensor([True, False])
    one, two = model.hear(rows, dropped=deaf), model.hear(other, dropped=deaf)
    assert one.shape == (2, 3, 16)
    assert torch.equal(one[0], two[0])
    assert torch.equal(one[0], model.unheard.expand(3, -1))
    assert torch.equal(one[1], model.hear(rows)[1])
    assert not torch.allclose(one[1], two[1], atol=1e-3)


def test_who_has_no_style_has_none(model: Diffusion) -> None:
    plain = torch.tensor([False, True])
    one, two = (model.styled(noise(2, 8, seed=seed), dropped=plain) for seed in (1, 2))
    assert torch.equal(one.whole[1, 0], model.unstyled)
    for here, there in zip(one, two, strict=True):
        assert torch.equal(here[1], there[1])
        assert not torch.allclose(here[0], there[0], atol=1e-3)
    curve = noise(2, 3, 8)
    for frames, frame in zip(model.styled(curve), model.styled(curve[:, 1]), strict=True):
        assert torch.allclose(frames[:, 1], frame[:, 0], atol=1e-6)


def test_a_style_says_where_things_are(model: Diffusion) -> None:
    latents = noise(1, 2, 4, 8, 8)
    left, right = latents.clone(), latents.clone()
    left[..., :2] += 2.0
    right[..., -2:] += 2.0
    cells = [model.styled(model.read_style(shown).mean).cells[0, 0] for shown in (latents, left, right)]
    assert cells[0].shape == (2, 2, 2)
    moved = [(cell - cells[0]).abs().sum(dim=(0, 1)) for cell in cells[1:]]
    assert moved[0][0] > moved[0][1]
    assert moved[1][1] > moved[1][0]


def test_what_is_heard_and_the_style_make_what_is_drawn(model: Diffusion, conditions: Conditions) -> None:
    start = noise(2, 3, 4, 2, 2)
    drawn = model.sample(start, conditions, steps=2)
    for other in (
        conditions._replace(heard=conditions.heard.roll(1, dims=0)),
        conditions._replace(manner=conditions.manner.of([1, 0])),
    ):
        assert not torch.allclose(model.sample(start, other, steps=2), drawn, atol=1e-3)
    assert torch.equal(model.sample(start, conditions, steps=2), drawn)


def test_a_scale_of_zero_leaves_a_condition_out(model: Diffusion, conditions: Conditions) -> None:
    start = noise(2, 3, 4, 2, 2)
    other = conditions._replace(heard=conditions.heard.roll(1, dims=0))
    deaf = Guidance(audio=0.0)
    assert torch.equal(
        model.sample(start, conditions, guidance=deaf, steps=2),
        model.sample(start, other, guidance=deaf, steps=2),
    )
    nothing = Guidance(audio=0.0, style=0.0)
    elsewhere = Conditions(other.heard, conditions.manner.of([1, 0]))
    assert torch.equal(
        model.sample(start, conditions, guidance=nothing, steps=2),
        model.sample(start, elsewhere, guidance=nothing, steps=2),
    )


def test_one_step_goes_along_the_guided_velocity(model: Diffusion, conditions: Conditions) -> None:
    start, time = noise(2, 3, 4, 2, 2), torch.zeros(2)
    silent = model.unheard.expand_as(conditions.heard)
    unstyled = model.styled(noise(2, 8), dropped=torch.tensor([True, True]))
    plain = model(start, time, Conditions(silent, unstyled))
    styled = model(start, time, Conditions(silent, conditions.manner))
    full = model(start, time, conditions)
    wanted = start + plain + 2.0 * (styled - plain) + 3.0 * (full - styled)
    found = model.sample(start, conditions, guidance=Guidance(audio=3.0, style=2.0), steps=1)
    assert torch.allclose(found, wanted, atol=1e-4)


@pytest.mark.parametrize(
    ("guidance", "solver", "asked"),
    [
        (Guidance(), "euler", 4),
        (Guidance(), "heun", 7),
        (Guidance(audio=2.0), "euler", 8),
        (Guidance(audio=2.0, style=2.0), "euler", 8),
        (Guidance(audio=0.0), "euler", 4),
        (Guidance(audio=3.0, style=2.0), "euler", 12),
        (Guidance(audio=3.0, style=2.0, start=0.2, stop=0.3), "euler", 6),
    ],
)
def test_only_what_counts_is_asked_for(
    model: Diffusion, conditions: Conditions, guidance: Guidance, solver: Solver, asked: int
) -> None:
    calls: list[None] = []
    handle = model.dit.register_forward_hook(lambda *_: calls.append(None))
    model.sample(noise(2, 3, 4, 1, 1), conditions, guidance=guidance, steps=4, solver=solver)
    handle.remove()
    assert len(calls) == asked


# Files ------------------------------------------------------------------------------------------------------


def test_an_architecture_survives_json() -> None:
    text = json.dumps(TINY_DIFFUSION.to_json())
    assert DiffusionSpec.from_json(json.loads(text)) == TINY_DIFFUSION


def test_weights_come_back_from_their_file(model: Diffusion, tmp_path: Path) -> None:
    path = tmp_path / "diffusion.safetensors"
    save_weights(path, model, {"vae": "abc"})
    found, facts = load_diffusion(path)
    assert facts == {"vae": "abc"}
    assert found.spec == model.spec
    assert not any(weight.requires_grad for weight in found.parameters())
    for name, value in model.state_dict().items():
        assert torch.allclose(found.state_dict()[name], value, atol=2e-3), name


def test_damaged_and_other_files_are_refused_in_one_sentence(model: Diffusion, tmp_path: Path) -> None:
    path = tmp_path / "diffusion.safetensors"
    save_weights(path, model, {})
    with pytest.raises(ConfigError, match=r"no weights of a vae; give .* `synesthete train vae` wrote"):
        load_vae(path)
    tensors = load_file(path)
    spec = asdict(TINY_DIFFUSION)

    def write(spec: object, **changed: torch.Tensor) -> None:
        header = json.dumps({"kind": "diffusion", "spec": spec, "facts": {}})
        save_file({**tensors, **changed}, path, {"synesthete": header})

    for damaged in ({**spec, "future": 1}, {k: v for k, v in spec.items() if k != "columns"}, [1], "none"):
        write(damaged)
        with pytest.raises(ConfigError, match="is no file of weights"):
            load_diffusion(path)
    for wider in ({**spec, "width": 128}, {**spec, "blocks": 4}):
        write(wider)
        with pytest.raises(ConfigError, match="holds other tensors than its header says"):
            load_diffusion(path)
    write(spec, unheard=torch.zeros(3))
    with pytest.raises(ConfigError, match="holds other tensors than its header says"):
        load_diffusion(path)
    write(spec)
    assert read_weights(path, "diffusion").facts == {}
