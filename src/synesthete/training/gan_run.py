"""Train the generator of pictures: `synesthete train gan`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import torch
from lightning.pytorch import LightningModule

from synesthete import __version__
from synesthete.config.gan import GanConfig
from synesthete.config.training import TrainOptions
from synesthete.errors import ConfigError
from synesthete.files import write_whole
from synesthete.media.images import Picture
from synesthete.models.discriminator import Discriminator, DiscriminatorSpec, views_of
from synesthete.models.gan import GanGenerator, GanSpec, grown
from synesthete.models.vae import Vae
from synesthete.models.weights import latents_digest, load_vae, read_weights, save_weights
from synesthete.training.adaptive import Adaptation
from synesthete.training.data_module import BatchDataModule
from synesthete.training.gan_card import gan_card
from synesthete.training.gan_module import SHEET_COLUMNS, GanModule
from synesthete.training.run import Progress, RunResult, claim_run, fit
from synesthete.training.sheets import Sheets
from synesthete.training.stills.batches import PlainBatches, StillBatch, StillBatches
from synesthete.training.stills.collection import StillFolder

__all__ = ["DISCRIMINATOR", "train_gan"]

DISCRIMINATOR: Final = "discriminator.safetensors"
"""The discriminator's weights, beside the generator's: a run that begins with those takes both."""

_SETTLED: Final = 64
"""Pictures by which what a discriminator sees is scaled."""

_TITLE: Final = "true; drawn; walks from one picture to another"


def train_gan(
    config: GanConfig,
    options: TrainOptions,
    folder: Path,
    images: StillFolder,
    *,
    on_step: Progress = lambda step, steps, figures: None,
) -> RunResult:
    """Begin a run or go on with it.

    Parameters
    ----------
    folder
        The run's own; it is made.
    images
        The pictures that are learned from.
    on_step
        Is told how it goes, on the first of all processes.

    Raises
    ------
    ConfigError
        If another run was begun in the folder, or its first weights can't be used.
    InputError
        If a picture can't be read.
    """
    claim_run(folder, config, images=images.digest)
    target = folder / "gan.safetensors"
    if target.exists():
        facts = read_weights(target, "gan").facts
        return RunResult(config.steps, config.steps, facts["figures"], target)
    vae, _ = load_vae()
    generator, discriminator = _first_weights(config, options, images, vae)
    latents = latents_digest(vae)
    adaptation = Adaptation(config.adaptive)
    trained = fit(
        GanModule(config, generator, discriminator, adaptation, vae),
        _data(config, options, images),
        config, options, folder,
        callbacks=[
            adaptation,
            Sheets(folder / "sheets", _pictures, columns=SHEET_COLUMNS, title=_TITLE),
        ],
        on_step=on_step, keep="validation/score",
    )  # fmt: skip
    if trained.step < config.steps:
        return RunResult(trained.step, config.steps, trained.figures, None)
    if trained.writes:
        facts = {
            "version": __version__,
            "steps": trained.step,
            "config": config.model_dump(mode="json"),
            "figures": trained.figures,
            "init_from": None if options.init_from is None else options.init_from.name,
            "latents": latents,
            "images": {
                "training": len(images.training),
                "held_out": len(images.held_out),
                "digest": images.digest,
                "recipe": dict(images.recipe),
            },
        }
        save_weights(folder / DISCRIMINATOR, discriminator, {"version": __version__, "steps": trained.step})
        save_weights(target, generator, facts)
        write_whole(target.with_suffix(".md"), gan_card(generator, facts).encode())
    return RunResult(trained.step, config.steps, trained.figures, target)


def _data(config: GanConfig, options: TrainOptions, images: StillFolder) -> BatchDataModule:
    size = config.data.batch_size
    whole = -(-len(images.held_out) // (size * options.devices * options.nodes))
    return BatchDataModule(
        StillBatches(images.training, config.data, side=config.size),
        {**config.data.model_dump(mode="json"), "images": images.digest},
        workers=options.workers,
        validate=PlainBatches(images.held_out, side=config.size, batch_size=size),
        validation_batches=min(config.validation_batches, whole),
    )


def _first_weights(
    config: GanConfig, options: TrainOptions, images: StillFolder, vae: Vae
) -> tuple[GanGenerator, Discriminator]:
    model = config.model
    spec = GanSpec(latents=model.latents, widths=model.widths, blocks=model.blocks, style=model.style)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        generator = GanGenerator(spec, checkpointing=model.checkpointing)
        judging = DiscriminatorSpec.through(vae, width=model.discriminator_width, side=config.size)
        discriminator = Discriminator(judging)
    some = images.training[:: max(1, len(images.training) // _SETTLED)]
    pictures = PlainBatches(some, side=config.size, batch_size=min(len(some), _SETTLED))(0).pictures / 255.0
    with torch.no_grad():
        discriminator.settle(views_of(vae, pictures, discriminator.levels))
    if options.init_from is not None:
        _begin(generator, options.init_from)
        beside = options.init_from.with_name(DISCRIMINATOR)
        if beside.exists():
            _begin(discriminator, beside)
    return generator, discriminator


def _begin(network: GanGenerator | Discriminator, path: Path) -> None:
    kind = "gan" if isinstance(network, GanGenerator) else "discriminator"
    found: Any = read_weights(path, kind)  # type: ignore[arg-type]
    if not grown(network, found.tensors):
        raise ConfigError(
            f"{path} is a network of another shape than this run's, which may only have more levels; choose "
            "the preset that it was trained with, and widths that begin with its own"
        )


def _pictures(module: LightningModule, batch: StillBatch) -> Iterator[Picture]:
    assert isinstance(module, GanModule)
    return module.sheet(batch)
