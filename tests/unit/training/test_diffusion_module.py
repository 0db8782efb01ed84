"""Training the model that listens: what a step sees, what it costs, and what each knob turns off."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import torch

from made_models import TINY_VAE, stirred, tiny_vae
from synesthete.audio.columns import COLUMN_NAMES
from synesthete.config.diffusion import DiffusionConfig, load_diffusion_config
from synesthete.models.diffusion import Diffusion
from synesthete.training.diffusion_module import DiffusionModule
from synesthete.training.diffusion_run import HEARD_COLUMNS, diffusion_spec
from synesthete.training.items import Batch

TINY = (
    "model.width=64", "model.blocks=2", "model.condition=16", "model.row_width=16", "model.row_layers=2",
    "model.style_channels=2", "model.style_cells=2", "model.style_width=8", "data.batch_size=4",
    "data.clip_frames=3",
    "data.style_frames=1", "data.context_s=0.2", "sampling.steps=2",
)  # fmt: skip
FIRST, EACH = 6, 2  # the row of the first frame, and rows to each
SILENCE, LOUDNESS = (COLUMN_NAMES.index(name) for name in ("silence", "loudness"))


def batch_of(*, clips: int = 4, frames: int = 3, seed: int = 0) -> Batch:
    """Give a batch whose loudness counts its rows, in hundredths."""
    draws = torch.Generator().manual_seed(seed)
    pictures = torch.randint(0, 256, (clips, frames + 1, 3, 32, 32), generator=draws, dtype=torch.uint8)
    rows = torch.rand(clips, 2 * FIRST + EACH * frames, len(COLUMN_NAMES), generator=draws)
    rows[..., LOUDNESS] = torch.arange(rows.shape[1]) / 100.0
    return Batch(
        number=torch.arange(8, 8 + clips),
        frames=pictures[:, :frames],
        rows=rows,
        style_frames=pictures[:, frames:],
        style=torch.zeros(clips, 4),
        program_number=torch.full((clips,), -1),
        program=("{}",) * clips,
        facts=("{}",) * clips,
        crops=torch.zeros(clips, 0, 3, 32, 32, dtype=torch.uint8),
        crop_places=torch.zeros(clips, 0, 5, dtype=torch.int64),
        latents=torch.zeros(clips, 0, 1, 1, 1, dtype=torch.float16),
    )


class Logged(DiffusionModule):
    """Remembers what it logs, and how many clips its transformer was asked for."""

    def __init__(self, config: DiffusionConfig, *, seed: int = 0) -> None:
        spec = diffusion_spec(config, latents=TINY_VAE.latents, columns=HEARD_COLUMNS)
        model = stirred(Diffusion(spec), seed=seed, spread=0.1)
        assert isinstance(model, Diffusion)
        silence = torch.zeros(len(HEARD_COLUMNS))
        super().__init__(config, model.requires_grad_(), tiny_vae(), silence)
        self.logged: dict[str, float] = {}
        self.asked: list[int] = []
        model.dit.register_forward_hook(lambda dit, given, found: self.asked.append(len(given[0])))

    def log_dict(self, dictionary: Any, **settings: Any) -> None:
        self.logged |= {name: float(torch.as_tensor(value).detach()) for name, value in dictionary.items()}


def module_of(*changes: str) -> Logged:
    return Logged(load_diffusion_config("smoke", None, (*TINY, *changes)))


@pytest.fixture
def others() -> Iterator[None]:
    """Leave the global generator as it was."""
    with torch.random.fork_rng(devices=[]):
        yield


def test_a_step_is_a_function_of_its_batch(others: None) -> None:
    module, batch = module_of(), batch_of()
    torch.manual_seed(1)
    first = float(module.training_step(batch, 0).detach())
    torch.manual_seed(2)
    assert float(module.training_step(batch, 7).detach()) == first
    assert float(module.training_step(batch._replace(number=batch.number + 4), 0).detach()) != first


def test_each_frame_hears_the_rows_around_its_own_moment() -> None:
    module, batch = module_of(), batch_of()
    seen, reach = module.see(batch), module.model.ear.reach
    assert seen.latents.shape == (4, 3, 4, 2, 2)
    assert seen.shown.shape == (4, 1, 4, 2, 2)
    assert seen.rows.shape == (4, 2 * reach + EACH * 2 + 1, len(HEARD_COLUMNS))
    counted = seen.rows[0, :, HEARD_COLUMNS.index("loudness")] * 100.0
    own = [FIRST + EACH * frame for frame in range(3)]
    assert counted[reach::EACH][:3].tolist() == pytest.approx(own, abs=1e-4)
    assert counted[0] == pytest.approx(FIRST - reach, abs=1e-4)
    assert torch.equal(seen.silence, batch.rows[:, own, SILENCE])
    encoded = module.vae.encode(batch.frames[1].float() / 255.0).mean
    assert torch.allclose(module.model.unscaled(seen.latents[1]), encoded, atol=1e-4)
    assert module.hear(seen.rows).shape == (4, 3, 16)


def test_what_shows_a_style_is_found_among_the_partners_frames() -> None:
    module, batch = module_of("data.style_frames=2", "data.clip_frames=3"), batch_of()
    partners, places = torch.tensor([1, 0, 3, 2]), torch.tensor([0, 2])
    paired = batch._replace(style_frames=batch.frames[partners][:, places])
    apart = module.see(batch._replace(style_frames=paired.style_frames.flip(0)))
    seen = module.see(paired)
    assert torch.allclose(seen.shown, apart.shown.flip(0), atol=1e-4)
    kept = paired._replace(
        frames=paired.frames[:, :0],
        style_frames=paired.style_frames[:, :0],
        latents=torch.stack([module.vae.encode(clip.float() / 255.0).mean for clip in batch.frames]).half(),
    )
    for one, other in zip(module.see(kept), seen, strict=True):
        assert torch.allclose(one, other, atol=0.02)


def test_misaligned_every_frame_hears_the_mean_of_the_clip() -> None:
    aligned, off = module_of(), module_of("conditions.aligned=false")
    rows = aligned.see(batch_of()).rows
    mean = aligned.hear(rows).mean(dim=1)
    heard = off.hear(rows)
    for frame in range(3):
        assert torch.allclose(heard[:, frame], mean, atol=1e-6)
    assert not torch.allclose(aligned.hear(rows)[:, 0], mean, atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        (("pressure.prob=1",), [4, 4]),
        (("pressure.prob=0.5",), [4, 2]),
        (("pressure.prob=[[0, 0.0], [4, 1.0]]",), [4, 2]),  # it is batch 2
        (("pressure.prob=0",), [4]),
        (("pressure.prob=1", "pressure.weight=0"), [4]),
        (("pressure.prob=1", "conditions.p_audio_drop=1"), [4]),
    ],
)
def test_pressure_asks_again_under_wrong_audio_or_not_at_all(
    changes: Sequence[str], asked: list[int]
) -> None:
    module = module_of("conditions.p_audio_drop=0", *changes)
    module.training_step(batch_of(), 0)
    assert module.asked == asked
    assert ("train/pressure" in module.logged) == ("train/wrong" in module.logged) == (len(asked) == 2)


def test_the_loss_is_the_sum_of_its_parts_and_each_has_its_knob() -> None:
    module = module_of("losses.matcher=0.1", "pressure.prob=1")
    module.training_step(batch_of(), 0)
    parts = {name.removeprefix("train/") for name in module.logged} - {"loss", "wrong"}
    assert parts == {"flow", "style", "pressure", "silence", "statistics", "matcher"}
    assert module.logged["train/loss"] == pytest.approx(sum(module.logged[f"train/{part}"] for part in parts))
    bare = module_of(
        "losses.matcher=0", "losses.silence=0", "losses.statistics=0", "pressure.weight=0",
        "conditions.style_divergence=0",
    )  # fmt: skip
    bare.training_step(batch_of(), 0)
    assert bare.logged["train/loss"] == pytest.approx(bare.logged["train/flow"])
    assert not {f"train/{name}" for name in ("pressure", "silence", "statistics", "matcher")} & set(
        bare.logged
    )


@pytest.mark.parametrize(
    "changes",
    [
        ("conditions.p_audio_drop=0", "conditions.p_style_drop=0", "pressure.weight=0"),
        ("conditions.p_audio_drop=1", "conditions.p_style_drop=1", "losses.matcher=0.5"),
    ],
)
def test_every_weight_is_part_of_every_step_and_the_autoencoder_of_none(changes: Sequence[str]) -> None:
    # Processes that train together wait for the gradient of every weight.
    module = module_of(*changes)
    module.training_step(batch_of(), 0).backward()
    assert [name for name, weight in module.named_parameters() if weight.grad is None] == []
    assert not any(weight.requires_grad for weight in module.vae.parameters())
    assert not any(name.startswith("_frozen") or "decoder" in name for name in module.state_dict())


def test_who_is_deaf_and_unstyled_learns_from_neither() -> None:
    module = module_of("conditions.p_audio_drop=1", "conditions.p_style_drop=1", "pressure.weight=0")
    module.training_step(batch_of(), 0).backward()
    model = module.model
    for part in (model.ear, model.manner):
        assert all(weight.grad is not None and not weight.grad.any() for weight in part.parameters())
    for missing in (model.unheard, model.unstyled):
        assert missing.grad is not None
        assert missing.grad.any()


# Validation -------------------------------------------------------------------------------------------------


@torch.no_grad()
def test_validation_asks_under_the_audio_of_another_pair() -> None:
    module, batch = module_of(), batch_of()
    rows = batch.rows[:1].expand(4, -1, -1).clone()
    module.validation_step(batch._replace(rows=rows), 99)
    assert module.logged["validation/wrong"] == pytest.approx(1.0, abs=1e-5)
    # The clips of a pair are alike; the pairs are not.
    rows[2:] = 1.0 - rows[2:]
    module.validation_step(batch._replace(rows=rows), 99)
    assert abs(module.logged["validation/wrong"] - 1.0) > 1e-4
    assert module.logged["validation/style_divergence"] > 0


@torch.no_grad()
def test_a_batch_is_drawn_anew_to_its_music_in_its_style() -> None:
    module, batch = module_of(), batch_of()
    drawn = module.draw(batch)
    assert drawn.shape == (4, 3, 3, 32, 32)
    assert torch.equal(module.draw(batch), drawn)
    quiet = batch._replace(rows=torch.zeros_like(batch.rows))
    assert not torch.allclose(module.draw(quiet), drawn, atol=1e-3)
    shown = batch._replace(style_frames=batch.style_frames.flip(0))
    assert not torch.allclose(module.draw(shown), drawn, atol=1e-3)
    assert torch.allclose(module.draw(batch.first(2)), drawn[:2], atol=1e-4)
