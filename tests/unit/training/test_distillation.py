"""A distilled model learns where its teacher comes to, with guidance, in one step of fewer."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

from made_models import TINY_VAE, stirred, tiny_vae
from synesthete.config.diffusion import Distillation, load_diffusion_config
from synesthete.config.training import TrainOptions
from synesthete.errors import ConfigError
from synesthete.models.diffusion import Conditions, Diffusion
from synesthete.models.weights import load_diffusion, save_weights
from synesthete.training.diffusion_run import HEARD_COLUMNS, diffusion_spec, train_diffusion
from synesthete.training.distillation import taught

pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec.*", "ignore::DeprecationWarning:lightning.*")

TINY = (
    "model.width=64", "model.blocks=2", "model.condition=16", "model.row_width=16", "model.row_layers=2",
    "model.style_channels=2", "model.style_cells=2", "model.style_width=8", "data.batch_size=4",
    "data.clip_frames=2", "data.style_frames=1", "data.context_s=0.2", "data.song_seconds=4",
    "data.warm_up_s=0.2", "sampling.batches=1", "validation_batches=1", "validate_every=2", "steps=2",
    "first_clips=4", "last_clips=4", "optimiser.warm_up_steps=1",
)  # fmt: skip
DISTIL = ("sampling.steps=2", "sampling.audio_guidance=1", "sampling.style_guidance=1", "distil.steps=2")
OPTIONS = TrainOptions(preset="smoke", workers=0)


@pytest.fixture(autouse=True)
def _do_not_measure_the_machine() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("synesthete.training.throughput.product_rate", lambda device, dtype: 1e9)
        yield


def tiny_model(seed: int = 0) -> Diffusion:
    config = load_diffusion_config("smoke", None, TINY)
    spec = diffusion_spec(config, latents=TINY_VAE.latents, columns=HEARD_COLUMNS)
    model = stirred(Diffusion(spec), seed=seed, spread=0.1)
    assert isinstance(model, Diffusion)
    return model


def conditions_of(model: Diffusion) -> Conditions:
    draws = torch.Generator().manual_seed(1)
    heard = torch.randn(2, 3, model.spec.condition, generator=draws)
    return Conditions(heard, model.styled(torch.randn(2, model.spec.style_size, generator=draws)))


@torch.no_grad()
def test_what_is_taught_leads_to_where_the_teacher_comes() -> None:
    model = tiny_model()
    conditions, points = conditions_of(model), torch.randn(2, 3, TINY_VAE.latents, 4, 4)
    distil = Distillation(audio=2.0, style=3.0, steps=2, substeps=3)
    ahead, at = points, torch.tensor([0.0, 0.5])
    for substep in range(3):
        velocity = model.guided(ahead, at + substep / 6, conditions, audio=2.0, style=3.0)
        ahead = ahead + velocity / 6
    found = points + 0.5 * taught(model, points, at, conditions, distil)
    assert torch.allclose(found, ahead, atol=1e-5)
    plain = Distillation(audio=1.0, style=1.0, steps=2, substeps=1)
    assert torch.allclose(
        taught(model, points, at, conditions, plain), model(points, at, conditions), atol=1e-5
    )


def test_a_student_draws_nearer_to_its_teacher_and_means_the_same_by_a_style(tmp_path: Path) -> None:
    vae, first = tmp_path / "vae.safetensors", tmp_path / "first.safetensors"
    save_weights(vae, tiny_vae(), {})
    begun = load_diffusion_config("smoke", None, (*TINY, "optimiser.learning_rate=1e-9"))
    found = train_diffusion(begun, OPTIONS, tmp_path / "begun", vae=vae).weights
    assert found is not None
    first.write_bytes(found.read_bytes())
    config = load_diffusion_config("smoke", None, (*TINY, *DISTIL, "steps=40", "validate_every=40"))
    options = OPTIONS.model_copy(update={"init_from": first})
    weights = train_diffusion(config, options, tmp_path / "second", vae=vae).weights
    (teacher, _), (student, facts) = load_diffusion(first), load_diffusion(weights)
    assert facts["config"]["distil"]["steps"] == 2
    for name in ("styles.axes", "styles.middle", "eye.leave.weight"):
        assert torch.equal(teacher.state_dict()[name], student.state_dict()[name])
    points, at = torch.randn(2, 3, TINY_VAE.latents, 4, 4), torch.tensor([0.0, 0.5])
    with torch.no_grad():
        wanted = taught(teacher, points, at, conditions_of(teacher), config.distil or Distillation())
        errors = [
            float((model(points, at, conditions_of(model)) - wanted).square().mean())
            for model in (student, teacher)
        ]
    assert errors[0] < errors[1]


def test_a_student_needs_a_teacher_and_draws_as_it_learns(tmp_path: Path) -> None:
    config = load_diffusion_config("smoke", None, (*TINY, *DISTIL))
    with pytest.raises(ConfigError, match="--init-from"):
        train_diffusion(config, OPTIONS, tmp_path / "never")
    assert not (tmp_path / "never").exists()
    with pytest.raises((ValidationError, ConfigError), match=r"set sampling\.steps=2"):
        load_diffusion_config("smoke", None, (*TINY, "distil.steps=2", "sampling.steps=8"))
