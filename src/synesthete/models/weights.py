"""Weights in files: safetensors of 16 bits, with what they belong to in their header."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from synesthete.errors import ConfigError
from synesthete.files import digest_bytes, digest_json, write_whole
from synesthete.models.diffusion import Diffusion, DiffusionSpec
from synesthete.models.discriminator import Discriminator, DiscriminatorSpec
from synesthete.models.gan import GanGenerator, GanSpec
from synesthete.models.vae import Vae, VaeSpec

__all__ = [
    "Weights",
    "WeightsKind",
    "check_latents",
    "latents_digest",
    "load_diffusion",
    "load_gan",
    "load_vae",
    "read_weights",
    "save_weights",
    "shipped_weights",
]

WeightsKind = Literal["vae", "diffusion", "gan", "discriminator"]
Network = Vae | Diffusion | GanGenerator | Discriminator
Spec = VaeSpec | DiffusionSpec | GanSpec | DiscriminatorSpec

_ENTRY: Final = "synesthete"
_KIND: Final = "kind"
_SPEC: Final = "spec"
_FACTS: Final = "facts"
_LATENTS: Final = "latents"
_SPECS: Final[dict[WeightsKind, type[Spec]]] = {
    "vae": VaeSpec,
    "diffusion": DiffusionSpec,
    "gan": GanSpec,
    "discriminator": DiscriminatorSpec,
}
_KINDS: Final[dict[type[Network], WeightsKind]] = {
    Vae: "vae",
    Diffusion: "diffusion",
    GanGenerator: "gan",
    Discriminator: "discriminator",
}
_SHIPPED: Final = Path(__file__).parent.parent / "weights"


class Weights(NamedTuple):
    """What a file of weights holds.

    Attributes
    ----------
    tensors
        By name, float32.
    spec
        The architecture, as JSON has it.
    facts
        How they came about: configuration, steps, figures.
    """

    tensors: dict[str, Tensor]
    spec: dict[str, Any]
    facts: dict[str, Any]


def save_weights(path: Path, network: Network, facts: Mapping[str, Any]) -> str:
    """Write a network's weights in half precision, whole.

    Parameters
    ----------
    facts
        How they came about, as JSON has it.

    Returns
    -------
    SHA-256 of the file; the same network and facts have the same.
    """
    tensors = _halves(network)
    header = {_KIND: _KINDS[type(network)], _SPEC: network.spec.to_json(), _FACTS: dict(facts)}
    # In one entry: safetensors writes several in any order, and the same weights had other digests.
    data = save(tensors, {_ENTRY: json.dumps(header, allow_nan=False)})
    write_whole(path, data)
    return digest_bytes(data)


def latents_digest(vae: Vae) -> str:
    """Say whose latents they are: those of an encoder, whatever draws them.

    Returns
    -------
    SHA-256 of the encoder's shape and of its weights in half precision: in training as in a file.
    """
    tensors = {name: digest_bytes(value.numpy().tobytes()) for name, value in _halves(vae.encoding()).items()}
    return digest_json({"spec": vae.spec.encoding(), "tensors": tensors})


def check_latents(facts: Mapping[str, Any], vae: Vae, *, whose: str, remedy: str) -> None:
    """See that a model that listens was trained on the latents of an autoencoder.

    Parameters
    ----------
    facts
        How the model came about.
    whose, remedy
        What to call its weights, and what to do where they are of others, for the error.

    Raises
    ------
    ConfigError
        If it was not, or its facts don't say.
    """
    found, own = facts.get(_LATENTS), latents_digest(vae)
    if found is None:
        raise ConfigError(
            f"{whose} don't say which latents they draw, as an older version wrote them; train them again, "
            "or give others"
        )
    if found != own:
        raise ConfigError(
            f"{whose} draw the latents of another autoencoder, {str(found)[:12]}…, not of {own[:12]}…; "
            f"{remedy}"
        )


def _halves(network: nn.Module) -> dict[str, Tensor]:
    return {
        name: value.detach().to("cpu", torch.float16).contiguous()
        for name, value in network.state_dict().items()
    }


def load_vae(path: Path | None = None) -> tuple[Vae, dict[str, Any]]:
    """Read an autoencoder.

    Parameters
    ----------
    path
        A file that `save_weights` wrote; by default the one that ships.

    Returns
    -------
    The network, for evaluation, and how it came about.

    Raises
    ------
    ConfigError
        If the file can't be read, or holds something else.
    """
    path = path or shipped_weights("vae")
    found = read_weights(path, "vae")
    with torch.random.fork_rng(devices=[]):
        vae = Vae(VaeSpec.from_json(found.spec))
    _fill(vae, found, path)
    return vae, found.facts


def load_diffusion(path: Path | None = None) -> tuple[Diffusion, dict[str, Any]]:
    """Read a model that listens; see `load_vae`."""
    path = path or shipped_weights("diffusion")
    found = read_weights(path, "diffusion")
    with torch.random.fork_rng(devices=[]):
        model = Diffusion(DiffusionSpec.from_json(found.spec))
    _fill(model, found, path)
    return model, found.facts


def load_gan(path: Path | None = None) -> tuple[GanGenerator, dict[str, Any]]:
    """Read a generator of pictures, channels last; see `load_vae`."""
    path = path or shipped_weights("gan")
    found = read_weights(path, "gan")
    with torch.random.fork_rng(devices=[]):
        generator = GanGenerator(GanSpec.from_json(found.spec))
    # In this order convolutions take a fifth less time.
    generator.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    _fill(generator, found, path)
    return generator, found.facts


def _fill(network: nn.Module, found: Weights, path: Path) -> None:
    try:
        network.load_state_dict(found.tensors)
    except RuntimeError:
        raise ConfigError(
            f"{path} holds other tensors than its header says; it is damaged, take another copy"
        ) from None
    network.eval().requires_grad_(requires_grad=False)


def read_weights(path: Path, kind: WeightsKind) -> Weights:
    """Read a file of weights.

    Raises
    ------
    ConfigError
        If it can't be read, or holds another kind of weights.
    """
    trains = "gan" if kind == "discriminator" else kind
    remedy = f"give a .safetensors file that `synesthete train {trains}` wrote"
    try:
        with safe_open(path, framework="pt") as handle:
            header = json.loads((handle.metadata() or {})[_ENTRY])
            if header[_KIND] != kind:
                raise ConfigError(f"{path} holds no weights of a {kind}; {remedy}")
            tensors = {name: handle.get_tensor(name).float() for name in handle.keys()}  # noqa: SIM118
        spec = header[_SPEC]
        _SPECS[kind].from_json(spec)
        return Weights(tensors, spec, dict(header[_FACTS]))
    except FileNotFoundError:
        if path == shipped_weights(kind):
            raise ConfigError(f"no weights of a {kind} ship with this version; {remedy}") from None
        raise ConfigError(f"there are no weights at {path}; {remedy}") from None
    except OSError as error:
        raise ConfigError(f"{path} can't be read ({error.strerror or error}); {remedy}") from None
    except (SafetensorError, AttributeError, KeyError, TypeError, ValueError):
        raise ConfigError(f"{path} is no file of weights; {remedy}") from None


def shipped_weights(kind: WeightsKind) -> Path:
    """Give the file of weights that comes with the package."""
    return _SHIPPED / f"{kind}.safetensors"
