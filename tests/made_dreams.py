"""Tiny untrained networks whose pictures depend on music and style, and presets that draw with them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import nn

from synesthete.audio.columns import COLUMN_NAMES
from synesthete.audio.embedding_columns import embedding_columns
from synesthete.audio.embeddings import Embedder
from synesthete.config.diffusion import SamplingConfig
from synesthete.config.dream import DiffusionLook
from synesthete.config.weights import LargeWeights
from synesthete.files import digest_bytes
from synesthete.generators.networks import Networks
from synesthete.models.diffusion import Diffusion, DiffusionSpec
from synesthete.models.vae import Vae, VaeSpec
from synesthete.models.weights import latents_digest, save_weights

HEARD = tuple(name for name in COLUMN_NAMES if name not in ("section", "time"))

VAE_SPEC = VaeSpec(
    latents=4, widths=(8, 8, 8), encoder_blocks=(0, 0, 0), decoder_blocks=(0, 0, 0, 0), features=8
)
DIFFUSION_SPEC = DiffusionSpec(
    latents=4, columns=HEARD, rows_per_frame=2, frame_rate=15, row_width=16, row_layers=2,
    style_channels=2, style_cells=2,
    style_width=8, condition=16, width=64, blocks=2, window=7,
)  # fmt: skip


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        yield


def made_vae(seed: int = 0, spec: VaeSpec = VAE_SPEC) -> Vae:
    """Make an autoencoder that draws colours of its latents, and detail that depends on them."""
    with _seeded(seed):
        vae = Vae(spec)
        nn.init.normal_(vae.decoder.out.weight, std=0.01)
        base: Any = vae.decoder.base
        # A picture of grey, coloured by latents: about 0.2 for one deviation.
        tint = torch.randn(3, 1, spec.latents) * 0.2 * torch.ones(1, 64, 1)
        base.weight.copy_((tint + 0.01 * torch.randn(3, 64, spec.latents)).reshape_as(base.weight))
        nn.init.constant_(base.bias, 0.45)
    return vae.eval().requires_grad_(requires_grad=False)


def made_diffusion(seed: int = 0, spec: DiffusionSpec = DIFFUSION_SPEC) -> Diffusion:
    """Make a model whose last layers are not zero, so that sound and style change what it draws."""
    with _seeded(seed):
        model = Diffusion(spec)
        nn.init.normal_(model.dit.leave.weight, std=0.06)
        nn.init.normal_(model.dit.shape.weight, std=0.15)
        for block in model.dit.blocks:
            shape: Any = block.shape
            nn.init.normal_(shape.weight, std=0.15)
        nn.init.normal_(model.manner.weight, std=0.5)
        for dropped in (model.unheard, model.unstyled):
            nn.init.normal_(dropped, std=0.3)
        # Columns of Hz and dB to about 1, as in training.
        wide = {"centroid": 3000.0, "rolloff": 6000.0, "tempo": 100.0}
        scales = [100.0 if name.startswith("mfcc") else wide.get(name, 0.3) for name in spec.columns]
        model.ear.deviation.copy_(torch.tensor(scales))
    return model.eval().requires_grad_(requires_grad=False)


def made_networks(seed: int = 0) -> Networks:
    digests = {"weights": f"w{seed}", "vae": f"v{seed}"}
    return Networks(made_diffusion(seed), made_vae(seed), digests, SamplingConfig())


def spec_hearing(embedder: Embedder) -> DiffusionSpec:
    """Give the shape of a model that hears a network's numbers behind the Timeline's columns."""
    return replace(DIFFUSION_SPEC, columns=(*HEARD, *embedding_columns(embedder.kind, embedder.size)))


def write_models(
    folder: Path, *, seed: int = 0, latents: str | None = None, embedder: Embedder | None = None
) -> tuple[Path, Path]:
    """Write a model and its autoencoder into a folder; give both files.

    Parameters
    ----------
    latents
        The digest of the latents that the model says it was trained on; by default those of the autoencoder
        beside it.
    embedder
        A network whose numbers the model hears, too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    places = folder / "model.safetensors", folder / "vae.safetensors"
    vae = made_vae(seed)
    save_weights(places[1], vae, {"steps": 0})
    model = made_diffusion(seed) if embedder is None else made_diffusion(seed, spec_hearing(embedder))
    sampling = SamplingConfig().model_dump()
    facts = {"latents": latents or latents_digest(vae), "config": {"sampling": sampling}}
    if embedder is not None:
        model.ear.deviation[-embedder.size :] = 1.0
        facts["embedding_model"] = embedder.digest
    save_weights(places[0], model, facts)
    return places


def given_weights(folder: Path, **settings: Any) -> DiffusionLook:
    """Give a look that draws with models written into a folder."""
    model, vae = (
        LargeWeights(file=path.name, sha256=digest_bytes(path.read_bytes()), place=path)
        for path in write_models(folder)
    )
    return DiffusionLook(weights=model, vae=vae, steps=2, **settings)


def write_dream(
    folder: Path,
    *,
    name: str = "dream.yaml",
    seed: int = 3,
    embedder: Embedder | None = None,
    **settings: Any,
) -> Path:
    """Write a preset of the model that listens, and its weights beside it."""
    write_models(folder, embedder=embedder)
    values = {
        "summary": "A model that was never trained",
        "generator": "diffusion",
        "seed": seed,
        "diffusion": {
            "weights": "model.safetensors", "vae": "vae.safetensors", "steps": 2, **settings,
        },
    }  # fmt: skip
    path = folder / name
    path.write_text(yaml.safe_dump(values))
    return path
