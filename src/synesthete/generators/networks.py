"""The networks that the diffusion generator draws with: from files to memory, and what they are known by."""

from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

from synesthete.config.dream import DiffusionLook
from synesthete.errors import ConfigError, RenderError
from synesthete.files import digest_file
from synesthete.models.diffusion import Diffusion
from synesthete.models.vae import Vae
from synesthete.models.weights import (
    WeightsKind,
    check_latents,
    load_diffusion,
    load_vae,
    shipped_weights,
)

__all__ = ["Networks", "load_networks", "network_digests"]


class Networks(NamedTuple):
    """What draws latents, and what draws them as pictures.

    Attributes
    ----------
    model, vae
        For evaluation, on the CPU.
    digests
        SHA-256 of both files, by field of the look.
    """

    model: Diffusion
    vae: Vae
    digests: dict[str, str]


def load_networks(look: DiffusionLook) -> Networks:
    """Load the networks of a look.

    Raises
    ------
    ConfigError
        If there are none, they can't be read, or latents of the one are not those of the other.
    RenderError
        If a file was changed since the preset was loaded.
    """
    digests = network_digests(look)
    for field, given in (("weights", look.weights), ("vae", look.vae)):
        if given is not None and digests[field] != given.sha256:
            raise RenderError(f"{given.place} was changed while it was used; repeat the command")
    model, facts = load_diffusion(_place(look, "weights"))
    vae, _ = load_vae(_place(look, "vae"))
    check_latents(
        facts, vae, whose="diffusion.weights",
        remedy="name the one that they were trained with as diffusion.vae",
    )  # fmt: skip
    return Networks(model, vae, digests)


def network_digests(look: DiffusionLook) -> dict[str, str]:
    """Give the SHA-256 of the files that a look's networks are in, those that ship too.

    Raises
    ------
    ConfigError
        If there are none.
    """
    places = {"weights": _place(look, "weights"), "vae": _place(look, "vae")}
    return {field: _digest(place, place.stat().st_mtime_ns) for field, place in places.items()}


@lru_cache(maxsize=16)
def _digest(place: Path, changed_ns: int) -> str:
    """Give a file's SHA-256; ``changed_ns`` says that it is still the same one."""
    return digest_file(place)


def _place(look: DiffusionLook, field: Literal["weights", "vae"]) -> Path:
    given = look.weights if field == "weights" else look.vae
    if given is not None:
        if given.place is None:
            raise ValueError(f"the weights {given.file} were not looked for")
        return given.place
    kind: WeightsKind = "diffusion" if field == "weights" else "vae"
    place = shipped_weights(kind)
    if not place.is_file():
        raise ConfigError(
            f"no weights of the {kind} model ship with this version; name a file that "
            f"`synesthete train {kind}` wrote as diffusion.{field} in a preset of yours"
        )
    return place
