"""Draw clips by a trained model, and by the programs that taught it, to the same music."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from synesthete.audio.embedding_columns import recorded_embedder
from synesthete.audio.embeddings import Embedder
from synesthete.config.base import build
from synesthete.config.data import BUCKETS, DataConfig
from synesthete.config.diffusion import ConditionConfig, SamplingConfig
from synesthete.models.diffusion import Conditions, Diffusion
from synesthete.models.field import Canvas
from synesthete.models.flow import Guidance
from synesthete.models.precision import sampling_dtype
from synesthete.models.vae import BLOCK, Vae
from synesthete.models.weights import check_latents, load_diffusion, load_vae, shipped_weights
from synesthete.seeding import generator_for
from synesthete.training.conditions import hear, heard_rows, silence_of, styled
from synesthete.training.items import make_planned, rows_of
from synesthete.training.plan import ClipPlan, plan_clip
from synesthete.training.songs import Songs, SongSource

__all__ = ["Clip", "Drawer", "Teacher", "load_drawer"]

_LARGEST_SEED = 2**63
_BATCH = 4
_SILENCE_MIX = DataConfig().audio_silence_mix_prob
_SQUARE = tuple(side // BLOCK for side in reversed(BUCKETS["square"]))

Frames = Float[Tensor, "frames 3 height width"]


class Clip(NamedTuple):
    """A clip as a program draws it, and what is heard around it.

    Attributes
    ----------
    frames
        Display RGB, 0-1.
    rows
        As `synesthete.training.items.Item.rows`.
    silence
        At each frame, 0-1.
    """

    frames: Frames
    rows: Float[Tensor, "rows columns"]
    silence: Float[Tensor, " frames"]


class Teacher:
    """Draws clips by programs, each to a song of its own.

    Parameters
    ----------
    data
        The data that the model was trained on.
    seed
        Of the music and the moments; whatever training's was, these are others.
    embedder
        The opened network of the data's ``embedding``, if there is one.
    """

    def __init__(self, data: DataConfig, *, seed: int, embedder: Embedder | None = None) -> None:
        music = int(generator_for(seed, "report.music").integers(_LARGEST_SEED))
        self.config = data.model_copy(
            update={"seed": music, "buckets": {"square": 1.0}, "clips_per_song": 2, "crops": 0,
                    "real_mix_prob": 0.0, "audio_silence_mix_prob": _SILENCE_MIX}
        )  # fmt: skip
        self._bare = self.config.model_copy(update={"style_frames": 0})
        self.songs = Songs(self.config, embedder=embedder)

    def plan(self, song: int, program: int) -> ClipPlan:
        """Plan a clip: somewhere in a song, in a program."""
        return plan_clip(self.config, 2 * song)._replace(program=program)

    def clip(self, plan: ClipPlan, songs: SongSource | None = None) -> Clip:
        """Draw a clip.

        Parameters
        ----------
        songs
            By default the unaltered ones.
        """
        (item,) = make_planned(self._bare, [plan], songs or self.songs)
        frames = item.frames.float() / 255.0
        return Clip(frames, item.rows, silence_of(self.config, item.rows[None], len(frames))[0])

    def rows(self, plan: ClipPlan) -> Float[Tensor, "rows columns"]:
        """Give what is heard around a clip, without drawing it."""
        return rows_of(self.config, plan, self.songs.song(plan.song))

    def shown(self, plan: ClipPlan) -> UInt8[Tensor, "style_frames 3 height width"]:
        """Draw what shows the style of a clip: frames of another moment of its song."""
        other = plan_clip(self.config, plan.number + 1)._replace(song=plan.song, program=plan.program)
        (item,) = make_planned(self._bare, [other], self.songs)
        count = self.config.style_frames
        return item.frames[_spaced(len(item.frames), count)]


class Drawer:
    """Draws clips by a model.

    Parameters
    ----------
    model, vae
        The model that listens, and the autoencoder whose latents it draws.
    data, conditions
        What it was trained on, and how.
    sampling
        How to draw.
    seed
        Of the noise.
    rescale
        How far what guidance exaggerates is brought back; see `synesthete.models.flow.Guidance`.
    embedder
        The network whose numbers the model hears, if there is one.
    """

    def __init__(
        self,
        model: Diffusion,
        vae: Vae,
        *,
        data: DataConfig,
        conditions: ConditionConfig,
        sampling: SamplingConfig,
        seed: int,
        rescale: float = 0.0,
        embedder: Embedder | None = None,
    ) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model, self.vae = model.to(self.device), vae.to(self.device)
        self.data, self.conditions, self.sampling = data, conditions, sampling
        self.seed, self._rescale, self.embedder = seed, rescale, embedder
        self.drawn, self.seconds = 0, 0.0
        """Clips that were drawn, and how long that took."""

    @torch.no_grad()
    def latents(self, frames: Frames) -> Float[Tensor, "frames latents h w"]:
        """Encode frames, as the transformer has them."""
        return self.model.scaled(self.vae.encode(frames.to(self.device)).mean.float())

    @torch.no_grad()
    def read_style(self, shown: UInt8[Tensor, "style_frames 3 height width"]) -> Float[Tensor, " size"]:
        """Read the standard style of frames."""
        read = self.model.read_style(self.latents(shown.float() / 255.0)[None]).mean
        style: Tensor = self.model.styles.standard(read)[0]
        return style

    def noise(self, number: int, frames: int) -> Float[Tensor, "frames latents h w"]:
        """Give noise of a number, for square pictures."""
        draws = generator_for(self.seed, "report.noise", number)
        source = torch.Generator().manual_seed(int(draws.integers(_LARGEST_SEED)))
        shape = (frames, self.model.spec.latents, *_SQUARE)
        return torch.randn(shape, generator=source).to(self.device)

    @torch.no_grad()
    def heard(
        self, rows: Float[Tensor, "clips rows columns"], frames: int
    ) -> Float[Tensor, "clips frames condition"]:
        """Hear rows, as items have them."""
        cut = heard_rows(self.model, self.data, rows.to(self.device), frames)
        return hear(self.model, self.conditions, cut)

    def draw(
        self,
        rows: Sequence[Float[Tensor, "rows columns"]],
        styles: Float[Tensor, "clips size"],
        noises: Sequence[int],
    ) -> list[Frames]:
        """Draw clips of square pictures, as long as in training.

        Parameters
        ----------
        rows
            What each hears.
        styles
            Of each, standard.
        noises
            The number of each one's noise.
        """
        started, found = time.perf_counter(), []
        for first in range(0, len(rows), _BATCH):
            these = slice(first, first + _BATCH)
            latents = self.sample(
                torch.stack(list(rows[these])), styles[these], noises[these], frames=self.data.clip_frames
            )
            found += [self.paint(clip) for clip in latents]
        self.drawn += len(rows)
        self.seconds += time.perf_counter() - started
        return found

    @torch.no_grad()
    def sample(
        self,
        rows: Float[Tensor, "clips rows columns"],
        styles: Float[Tensor, "clips size"],
        noises: Sequence[int],
        *,
        frames: int,
    ) -> Float[Tensor, "clips frames latents h w"]:
        """Draw scaled latents of square pictures, of clips of any length.

        Parameters
        ----------
        rows
            As for clips of so many frames.
        noises
            The number of each one's noise.
        """
        noise = torch.stack([self.noise(number, frames) for number in noises])
        sampling, dtype = self.sampling, sampling_dtype(self.device)
        guidance = Guidance(
            audio=sampling.audio_guidance, style=sampling.style_guidance, rescale=self._rescale
        )
        with torch.autocast(self.device.type, dtype, enabled=dtype is not torch.float32):
            conditions = Conditions(
                self.heard(rows, frames), styled(self.model, self.conditions, styles.to(self.device))
            )
            return self.model.sample(noise, conditions, guidance=guidance, steps=sampling.steps)

    @torch.no_grad()
    def paint(self, latents: Float[Tensor, "frames latents h w"], *, size: int | None = None) -> Frames:
        """Draw pictures of scaled latents.

        Parameters
        ----------
        size
            Their width, pixels; by default that of training.
        """
        width = size or latents.shape[3] * BLOCK
        canvas = Canvas.of((width, width * latents.shape[2] // latents.shape[3]), device=self.device)
        pictures = self.vae.decode(self.model.unscaled(latents), canvas)
        return pictures.float().clamp(0.0, 1.0).cpu()


def load_drawer(
    weights: Path | None = None,
    *,
    vae: Path | None = None,
    embedding_dir: Path | None = None,
    seed: int,
    steps: int | None = None,
    audio_guidance: float | None = None,
    style_guidance: float | None = None,
) -> Drawer:
    """Read a model, with what its file says of its training.

    Parameters
    ----------
    weights, vae
        Files of weights; by default those that ship.
    embedding_dir
        Folder of the pretrained network whose numbers the model hears, if it was trained with one.
    seed
        Of the noise.
    steps, audio_guidance, style_guidance
        How to draw; by default as validation did in training.

    Raises
    ------
    ConfigError
        If a file can't be read, the model draws latents of another autoencoder, or it hears the numbers of
        another pretrained network.
    """
    weights, vae = weights or shipped_weights("diffusion"), vae or shipped_weights("vae")
    model, facts = load_diffusion(weights)
    autoencoder, _ = load_vae(vae)
    check_latents(
        facts, autoencoder, whose=f"the weights in {weights}",
        remedy="give the one that they were trained on with --vae",
    )  # fmt: skip
    config, where = facts["config"], str(weights)
    embedder = recorded_embedder(
        model.spec.columns, embedding_dir, recorded=facts.get("embedding_model"),
        whose=f"the weights in {weights}", where="--embedding-dir",
    )  # fmt: skip
    wanted = {"steps": steps, "audio_guidance": audio_guidance, "style_guidance": style_guidance}
    chosen = {name: value for name, value in wanted.items() if value is not None}
    return Drawer(
        model,
        autoencoder,
        # Recorded music, if there was any, is not at hand.
        data=build(
            DataConfig, config["data"] | {"real_mix_prob": 0.0, "embedding_dir": embedding_dir}, where=where
        ),
        conditions=build(ConditionConfig, config["conditions"], where=where),
        sampling=build(SamplingConfig, config["sampling"] | chosen, where=where),
        seed=seed,
        embedder=embedder,
    )


def _spaced(length: int, count: int) -> Tensor:
    return ((torch.arange(count) + 0.5) * (length / count)).long()
