"""Tiny models with random weights, in files as training leaves them."""

from pathlib import Path
from typing import Any

import torch

from synesthete.audio.columns import COLUMN_NAMES
from synesthete.audio.embedding_columns import embedding_columns
from synesthete.audio.embeddings import Embedder
from synesthete.config.diffusion import DiffusionConfig, load_diffusion_config
from synesthete.models.diffusion import Diffusion
from synesthete.models.vae import Vae, VaeSpec
from synesthete.models.weights import latents_digest, load_vae, save_weights
from synesthete.training.diffusion_run import diffusion_spec

TINY_DIFFUSION = (
    "model.row_width=8", "model.row_layers=2", "model.style_channels=1", "model.style_cells=2",
    "model.style_width=8",
    "model.condition=16", "model.width=64", "model.blocks=2", "data.song_seconds=5", "data.clip_frames=4",
    "data.context_s=0.2", "data.batch_size=4", "sampling.steps=1", "sampling.batches=1",
    "sampling.audio_guidance=1", "validation_batches=1", "validate_every=2", "steps=4", "first_clips=4",
    "last_clips=4",
)  # fmt: skip
"""Changes to the preset ``smoke`` that make it as small as can be."""


def write_vae(path: Path) -> Path:
    """Write an autoencoder of principal components of smooth noise."""
    spec = VaeSpec(
        latents=4, widths=(8, 8, 8), encoder_blocks=(0, 0, 0), decoder_blocks=(0, 0, 0, 0), features=8
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        vae = Vae(spec)
        vae.fit_blocks([torch.nn.functional.avg_pool2d(torch.rand(64, 3, 70, 70), 7, stride=1)])
    save_weights(path, vae, {})
    return path


def tiny_config(*changes: str) -> DiffusionConfig:
    """Give the configuration of a tiny run."""
    return load_diffusion_config("smoke", None, (*TINY_DIFFUSION, *changes))


def write_diffusion(
    path: Path, vae: Path, config: DiffusionConfig | None = None, embedder: Embedder | None = None
) -> Path:
    """Write a model whose every weight is random, so that all that it is given changes what it draws.

    Parameters
    ----------
    embedder
        The network whose numbers it hears, if the configuration says that it hears any.
    """
    config = config or tiny_config()
    more = () if embedder is None else embedding_columns(embedder.kind, embedder.size)
    spec = diffusion_spec(config, latents=4, columns=(*COLUMN_NAMES, *more))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = Diffusion(spec)
        for parameter in model.parameters():
            if not parameter.any():
                torch.nn.init.normal_(parameter, std=0.1)
    facts: dict[str, Any] = {
        "version": "0", "steps": 0, "config": config.model_dump(mode="json"), "figures": {},
        "init_from": None, "latents": latents_digest(load_vae(vae)[0]),
        "embedding_model": None if embedder is None else embedder.digest,
    }  # fmt: skip
    save_weights(path, model, facts)
    return path
