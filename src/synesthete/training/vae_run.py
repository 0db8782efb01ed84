"""Train the autoencoder: `synesthete train vae`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import torch
from lightning.pytorch import LightningModule

from synesthete import __version__
from synesthete.audio.embeddings import Embedder
from synesthete.config.data import DataConfig
from synesthete.config.training import TrainOptions
from synesthete.config.vae import HELD_OUT, VaeConfig
from synesthete.errors import ConfigError
from synesthete.files import write_whole
from synesthete.media.images import Picture
from synesthete.models.field import Canvas
from synesthete.models.vae import Vae, VaeSpec
from synesthete.models.weights import read_weights, save_weights
from synesthete.training.data_module import ClipDataModule
from synesthete.training.dataset import ItemSource
from synesthete.training.items import Batch
from synesthete.training.music import Music
from synesthete.training.picture_codes import picture_bytes
from synesthete.training.run import Progress, RunResult, claim_run, fit, item_source, last_checkpoint
from synesthete.training.sheets import Sheets
from synesthete.training.vae_card import vae_card
from synesthete.training.vae_module import VaeModule

__all__ = ["train_vae", "validation_data"]

_SHOWN: Final = 8
_CLIP_FRAMES: Final = 16


def train_vae(
    config: VaeConfig,
    options: TrainOptions,
    folder: Path,
    *,
    music: Music | None = None,
    embedder: Embedder | None = None,
    on_step: Progress = lambda step, steps, figures: None,
) -> RunResult:
    """Begin a run or go on with it.

    Parameters
    ----------
    folder
        The run's own; it is made.
    music
        The opened folder of recorded music, if some is mixed in.
    embedder
        The opened network of the data's ``embedding``, if there is one.
    on_step
        Is told how it goes, on the first of all processes.

    Raises
    ------
    ConfigError
        If another run was begun in the folder, or its data or first weights can't be used.
    """
    if config.freeze_encoder and options.init_from is None:
        raise ConfigError(
            "freeze_encoder = true trains the decoder of an encoder that there is already; name its weights "
            "with --init-from"
        )
    claim_run(folder, config)
    target = folder / "vae.safetensors"
    if target.exists():
        facts = read_weights(target, "vae").facts
        return RunResult(config.steps, config.steps, facts["figures"], target)
    read = item_source(config.data, options, music, embedder)
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
    vae = _first_weights(config, options, read, resumed=resumed)
    trained = fit(
        VaeModule(config, vae), data, config, options, folder,
        callbacks=[Sheets(folder / "sheets", _pictures, columns=_SHOWN, title="true, drawn; crops")],
        on_step=on_step,
    )  # fmt: skip
    if trained.step < config.steps:
        return RunResult(trained.step, config.steps, trained.figures, None)
    if trained.writes:
        facts = {
            "version": __version__,
            "steps": trained.step,
            "config": config.model_dump(mode="json", exclude={"data": {"music_dir", "embedding_dir"}}),
            "figures": trained.figures,
            "init_from": None if options.init_from is None else options.init_from.name,
        }
        save_weights(target, vae, facts)
        write_whole(target.with_suffix(".md"), vae_card(vae.spec, facts).encode())
    return RunResult(trained.step, config.steps, trained.figures, target)


def validation_data(config: DataConfig) -> DataConfig:
    """Give data that is never trained on: other programs, other songs, clips of a second."""
    return config.model_copy(
        update={
            "seed": config.seed + 1, "first_program": HELD_OUT.start, "programs": len(HELD_OUT),
            "clip_frames": _CLIP_FRAMES, "batch_size": 4, "style_frames": 0, "audio_debug_mode": False,
            "audio_debug_mix_prob": 0.0,
        }
    )  # fmt: skip


def _first_weights(config: VaeConfig, options: TrainOptions, read: ItemSource, *, resumed: bool) -> Vae:
    spec = VaeSpec(**config.model.model_dump())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        vae = Vae(spec)
    if options.init_from is not None:
        found = read_weights(options.init_from, "vae")
        if VaeSpec.from_json(found.spec) != spec:
            raise ConfigError(
                f"{options.init_from} is a network of another shape than this run's; choose the preset "
                "that it was trained with"
            )
        vae.load_state_dict(found.tensors)
    elif not resumed:
        items = read(range(config.first_clips))
        vae.fit_blocks([item.frames[:1].float() / 255.0 for item in items])
    return vae


@torch.no_grad()
def _pictures(module: LightningModule, batch: Batch) -> Iterator[Picture]:
    """Give true pictures, what is drawn, and crops of large ones."""
    assert isinstance(module, VaeModule)
    clips, frames = batch.frames.shape[:2]
    each = -(-_SHOWN // clips)
    chosen = torch.linspace(0, frames - 1, each).long()
    truth = batch.frames[:, chosen].flatten(0, 1)[:_SHOWN]
    features = module.vae.decoder.features(module.vae.encode(truth.float() / 255.0).mean)
    size = (truth.shape[3], truth.shape[2])
    yield from map(picture_bytes, truth / 255.0)
    yield from map(picture_bytes, module.vae.decoder.paint(features, Canvas.of(size, device=truth.device)))
    if batch.crops.shape[1]:
        places = batch.crop_places[:, 0]
        of = batch.frames[torch.arange(clips), places[:, 0]].float() / 255.0
        features = module.vae.decoder.features(module.vae.encode(of).mean)
        canvas = Canvas.crops(batch.crops.shape[-1], places[:, 1:], device=truth.device)
        both = (batch.crops[:, 0] / 255.0, module.vae.decoder.paint(features, canvas))
        for true, drawn in zip(*both, strict=True):
            yield picture_bytes(true)
            yield picture_bytes(drawn)
