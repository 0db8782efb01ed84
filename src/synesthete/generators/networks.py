"""The networks that generators draw with: from files to memory, and what they are known by."""

from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from synesthete.audio.embedding_columns import recorded_embedder
from synesthete.audio.embeddings import Embedder
from synesthete.config.base import build
from synesthete.config.diffusion import SamplingConfig
from synesthete.config.dream import DiffusionLook
from synesthete.config.gan_look import GanLook
from synesthete.config.weights import LargeWeights, digest_network
from synesthete.errors import ConfigError, RenderError
from synesthete.files import digest_file
from synesthete.models.diffusion import Diffusion
from synesthete.models.gan import GanGenerator
from synesthete.models.vae import Vae
from synesthete.models.weights import (
    WeightsKind,
    check_latents,
    load_diffusion,
    load_gan,
    load_vae,
    shipped_weights,
)

__all__ = ["GanNetwork", "Networks", "load_gan_network", "load_networks", "network_digests"]

_KINDS: Final[dict[type[DiffusionLook | GanLook], dict[str, WeightsKind]]] = {
    DiffusionLook: {"weights": "diffusion", "vae": "vae"},
    GanLook: {"weights": "gan"},
}
"""What the fields of a look hold the weights of."""


class Networks(NamedTuple):
    """What draws latents, and what draws them as pictures.

    Attributes
    ----------
    model, vae
        For evaluation, on the CPU.
    digests
        SHA-256 of both files, and of the pretrained network's folder if there is one, by field of the look.
    sampling
        How the model was validated.
    embedder
        The pretrained network whose numbers the model hears, if there is one.
    """

    model: Diffusion
    vae: Vae
    digests: dict[str, str]
    sampling: SamplingConfig
    embedder: Embedder | None = None


class GanNetwork(NamedTuple):
    """What draws pictures from latents.

    Attributes
    ----------
    generator
        For evaluation, on the CPU.
    digests
        SHA-256 of its file, as ``weights``.
    """

    generator: GanGenerator
    digests: dict[str, str]


def load_networks(look: DiffusionLook) -> Networks:
    """Load the networks of a look.

    Raises
    ------
    ConfigError
        If there are none, they can't be read, latents of the one are not those of the other, or the
        pretrained network is not that of training.
    RenderError
        If a file was changed since the preset was loaded.
    """
    digests = _checked_digests(look)
    weights = _place(look, "weights")
    model, facts = load_diffusion(weights)
    vae, _ = load_vae(_place(look, "vae"))
    check_latents(
        facts, vae, whose="diffusion.weights",
        remedy="name the one that they were trained with as diffusion.vae",
    )  # fmt: skip
    embedder = recorded_embedder(
        model.spec.columns, _embedding_folder(look), recorded=facts.get("embedding_model"),
        whose="diffusion.weights", where="diffusion.embedding_dir",
    )  # fmt: skip
    sampling = build(SamplingConfig, facts.get("config", {}).get("sampling", {}), where=str(weights))
    return Networks(model, vae, digests, sampling, embedder)


def load_gan_network(look: GanLook) -> GanNetwork:
    """Load the network of a look; see `load_networks`."""
    digests = _checked_digests(look)
    generator, _ = load_gan(_place(look, "weights"))
    return GanNetwork(generator, digests)


def network_digests(look: DiffusionLook | GanLook) -> dict[str, str]:
    """Give the SHA-256 of the files and folders that a look's networks are in, those that ship too.

    Raises
    ------
    ConfigError
        If there are none.
    """
    places = {field: _place(look, field) for field in _KINDS[type(look)]}
    digests = {field: _digest(place, place.stat().st_mtime_ns) for field, place in places.items()}
    folder = _embedding_folder(look) if isinstance(look, DiffusionLook) else None
    return digests if folder is None else {**digests, "embedding_dir": digest_network(folder)}


def _checked_digests(look: DiffusionLook | GanLook) -> dict[str, str]:
    digests = network_digests(look)
    for field, digest in digests.items():
        given = getattr(look, field)
        if given is not None and digest != given.sha256:
            raise RenderError(f"{given.place} was changed while it was used; repeat the command")
    return digests


def _embedding_folder(look: DiffusionLook) -> Path | None:
    given = look.embedding_dir
    if given is not None and given.place is None:
        raise ValueError(f"the network {given.file} was not looked for")
    return None if given is None else given.place


@lru_cache(maxsize=16)
def _digest(place: Path, changed_ns: int) -> str:
    """Give a file's SHA-256; ``changed_ns`` says that it is still the same one."""
    return digest_file(place)


def _place(look: DiffusionLook | GanLook, field: str) -> Path:
    given: LargeWeights | None = getattr(look, field)
    if given is not None:
        if given.place is None:
            raise ValueError(f"the weights {given.file} were not looked for")
        return given.place
    kind = _KINDS[type(look)][field]
    place = shipped_weights(kind)
    if not place.is_file():
        section = "gan" if isinstance(look, GanLook) else "diffusion"
        raise ConfigError(
            f"no weights of the {kind} model ship with this version; name a file that "
            f"`synesthete train {kind}` wrote as {section}.{field} in a preset of yours"
        )
    return place
