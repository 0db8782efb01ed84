"""Train the model that listens: `synesthete train diffusion`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import torch
from jaxtyping import Float
from lightning.pytorch import LightningModule
from torch import Tensor

from synesthete import __version__
from synesthete.audio.around import silent_row
from synesthete.audio.columns import COLUMN_NAMES
from synesthete.audio.embedding_columns import embedding_columns
from synesthete.audio.embeddings import Embedder
from synesthete.config.data import DataConfig
from synesthete.config.diffusion import DiffusionConfig
from synesthete.config.training import TrainOptions
from synesthete.config.vae import HELD_OUT
from synesthete.errors import ConfigError
from synesthete.files import digest_json, write_whole
from synesthete.media.images import Picture
from synesthete.models.diffusion import Diffusion, DiffusionSpec
from synesthete.models.vae import Vae
from synesthete.models.weights import (
    check_latents,
    latents_digest,
    load_diffusion,
    load_vae,
    read_weights,
    save_weights,
)
from synesthete.training.data_module import ClipDataModule, data_identity
from synesthete.training.dataset import ItemSource, LiveItems
from synesthete.training.diffusion_card import diffusion_card
from synesthete.training.diffusion_module import DiffusionModule
from synesthete.training.distillation import DistilledModule
from synesthete.training.encoded import EncodedItems
from synesthete.training.items import Batch, stack
from synesthete.training.music import Music
from synesthete.training.picture_codes import picture_bytes
from synesthete.training.run import Progress, RunResult, claim_run, fit, item_source, last_checkpoint
from synesthete.training.sheets import Sheets

__all__ = ["HEARD_COLUMNS", "diffusion_spec", "train_diffusion", "validation_data"]

_DEAF_TO: Final = ("section", "time")
HEARD_COLUMNS: Final = tuple(name for name in COLUMN_NAMES if name not in _DEAF_TO)
"""What the model hears: all columns but those that only count."""

_SHOWN: Final = 4
_LOOKED_AT: Final = 8
_CLIPS_PER_SONG: Final = 2
_MOST_SONGS: Final = 8
_TITLE: Final = "each clip true, then drawn anew"


def train_diffusion(
    config: DiffusionConfig,
    options: TrainOptions,
    folder: Path,
    *,
    vae: Path | None = None,
    music: Music | None = None,
    embedder: Embedder | None = None,
    on_step: Progress = lambda step, steps, figures: None,
) -> RunResult:
    """Begin a run or go on with it.

    Parameters
    ----------
    folder
        The run's own; it is made.
    vae
        Weights of the autoencoder whose latents are learned; by default those that ship.
    music
        The opened folder of recorded music, if some is mixed in.
    embedder
        The opened network of the data's ``embedding``, if there is one: the model hears its numbers, too.
    on_step
        Is told how it goes, on the first of all processes.

    Raises
    ------
    ConfigError
        If another run was begun in the folder, or its data or first weights can't be used.
    """
    if config.distil is not None and options.init_from is None:
        raise ConfigError("distil learns from weights that draw already; give them with --init-from")
    autoencoder, _ = load_vae(vae)
    latents = latents_digest(autoencoder)
    claim_run(folder, config, latents=latents)
    target = folder / "diffusion.safetensors"
    if target.exists():
        facts = read_weights(target, "diffusion").facts
        return RunResult(config.steps, config.steps, facts["figures"], target)
    read = item_source(config.data, options, music, embedder)
    if config.kept_batches:
        known = digest_json([__version__, latents, data_identity(config.data, music, embedder)])
        kept = options.workspace / "cache" / "latents" / known[:32]
        count = config.kept_batches * config.data.batch_size
        read = EncodedItems(read, autoencoder, kept, count=count)
    data = ClipDataModule(
        config.data,
        read,
        music=music,
        workers=options.workers,
        validation=validation_data(config.data),
        validation_batches=config.validation_batches,
        embedder=embedder,
    )
    resumed = last_checkpoint(folder).exists()
    model = _first_weights(config, options, autoencoder, music, embedder, resumed=resumed)
    module = _module(config, options, model, autoencoder, _heard(silent_row(embedder)))
    trained = fit(
        module, data, config, options, folder,
        callbacks=[Sheets(folder / "sheets", _pictures, columns=config.data.clip_frames, title=_TITLE)],
        on_step=on_step, keep="validation/score",
    )  # fmt: skip
    if trained.step < config.steps:
        return RunResult(trained.step, config.steps, trained.figures, None)
    if trained.writes:
        if config.distil is None:
            model.styles.fit(_styles(module, read))
        facts = {
            "version": __version__,
            "steps": trained.step,
            "config": config.model_dump(mode="json", exclude={"data": {"music_dir", "embedding_dir"}}),
            "figures": trained.figures,
            "init_from": None if options.init_from is None else options.init_from.name,
            "latents": latents,
            "embedding_model": None if embedder is None else embedder.digest,
        }
        save_weights(target, model, facts)
        write_whole(target.with_suffix(".md"), diffusion_card(model, facts).encode())
    return RunResult(trained.step, config.steps, trained.figures, target)


def validation_data(config: DataConfig) -> DataConfig:
    """Give data that is never trained on: other songs, and other programs unless only the few are learned.

    Pairs of clips that follow each other are of different songs, and songs have few clips: silence is rare.
    """
    changes: dict[str, Any] = {
        "seed": config.seed + 1, "first_program": HELD_OUT.start, "programs": len(HELD_OUT),
        "audio_debug_mix_prob": 0.0,
        "songs_at_once": min(_MOST_SONGS, config.batch_size // 2), "clips_per_song": _CLIPS_PER_SONG,
    }  # fmt: skip
    return config.model_copy(update=changes)


def diffusion_spec(config: DiffusionConfig, *, latents: int, columns: tuple[str, ...]) -> DiffusionSpec:
    """Give the network of a run.

    Parameters
    ----------
    latents
        Channels of the autoencoder's latents.
    columns
        What it hears.
    """
    return DiffusionSpec(
        latents=latents,
        columns=columns,
        rows_per_frame=config.data.rows_per_frame,
        frame_rate=config.data.frame_rate,
        window=config.model.window or config.data.clip_frames - 1,
        **config.model.model_dump(exclude={"window"}),
    )


def _first_weights(
    config: DiffusionConfig,
    options: TrainOptions,
    vae: Vae,
    music: Music | None,
    embedder: Embedder | None,
    *,
    resumed: bool,
) -> Diffusion:
    spec = diffusion_spec(config, latents=vae.spec.latents, columns=_columns(config.data))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        model = Diffusion(spec)
    if options.init_from is not None:
        found = read_weights(options.init_from, "diffusion")
        if DiffusionSpec.from_json(found.spec) != spec:
            raise ConfigError(
                f"{options.init_from} is a network of another shape than this run's; choose the preset "
                "that it was trained with"
            )
        check_latents(
            found.facts, vae, whose=f"the weights in {options.init_from}",
            remedy="give the one that they were trained on with --vae",
        )  # fmt: skip
        model.load_state_dict(found.tensors)
    elif not resumed:
        _scale(model, config, vae, music, embedder)
    return model


def _module(
    config: DiffusionConfig,
    options: TrainOptions,
    model: Diffusion,
    vae: Vae,
    silence: Float[Tensor, " columns"],
) -> DiffusionModule:
    if config.distil is None:
        return DiffusionModule(config, model, vae, silence)
    assert options.init_from is not None  # the run was not begun without
    teacher, _ = load_diffusion(options.init_from)
    return DistilledModule(config, model, vae, silence, teacher=teacher)


@torch.no_grad()
def _scale(
    model: Diffusion, config: DiffusionConfig, vae: Vae, music: Music | None, embedder: Embedder | None
) -> None:
    """Scale latents and rows by clips as they are after the bootstrap, a few of each song."""
    data = config.data.model_copy(
        update={"clips_per_song": _CLIPS_PER_SONG, "audio_debug_mix_prob": 0.0, "style_frames": 0}
    )
    items = LiveItems(data, music, embedder=embedder)(range(config.first_clips))
    latents = [vae.encode(item.frames.float() / 255.0).mean for item in items]
    # All places of all frames in one row: pictures may be of several shapes.
    places = torch.cat([one.transpose(0, 1).flatten(1) for one in latents], dim=1)
    few = [one for one in latents if one.shape[2:] == latents[0].shape[2:]][:_LOOKED_AT]
    shown = vae.visible(torch.cat(few))
    model.fit_scale(places[None, :, :, None], (shown / shown.max()) ** (1.0 - config.flow.evenness))
    model.ear.fit_scale(_heard(torch.stack([item.rows for item in items])))


@torch.no_grad()
def _styles(module: DiffusionModule, read: ItemSource) -> Float[Tensor, "styles size"]:
    """Read the styles of clips of training."""
    config, found = module.config, []
    size = config.data.batch_size
    module.cpu()
    module.vae.cpu()
    for first in range(0, config.last_clips, size):
        seen = module.see(stack(read(range(first, first + size))))
        found.append(module.model.read_style(seen.shown).mean)
    return torch.cat(found)


def _columns(data: DataConfig) -> tuple[str, ...]:
    """Name what the model hears: columns of the Timeline, and the numbers of an embedding behind them."""
    if data.embedding == "none":
        return HEARD_COLUMNS
    return (*HEARD_COLUMNS, *embedding_columns(data.embedding, data.embedding_size))


def _heard(rows: Float[Tensor, "*rows columns"]) -> Float[Tensor, "*rows heard"]:
    """Leave out of rows what the model doesn't hear."""
    own = [COLUMN_NAMES.index(name) for name in HEARD_COLUMNS]
    return torch.cat([rows[..., own], rows[..., len(COLUMN_NAMES) :]], dim=-1)


@torch.no_grad()
def _pictures(module: LightningModule, batch: Batch) -> Iterator[Picture]:
    """Give the frames of a few clips, and under each clip what is drawn to its music in its style."""
    assert isinstance(module, DiffusionModule)
    few = batch.first(_SHOWN)
    for true, drawn in zip(few.frames, module.draw(few), strict=True):
        yield from map(picture_bytes, true / 255.0)
        yield from map(picture_bytes, drawn)
