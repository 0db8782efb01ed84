"""Build generators from configuration: configuration stops here."""

from collections.abc import Iterable
from fractions import Fraction

import numpy as np
import torch
from jaxtyping import Float

from synesthete.audio.columns import COLUMN_NAMES
from synesthete.audio.stems import stem_specs
from synesthete.audio.timeline import Timeline
from synesthete.config.preset import CppnLook, Preset
from synesthete.config.render import RenderOptions
from synesthete.errors import ConfigError, RenderError
from synesthete.files import digest_bytes
from synesthete.generators.base import Generator, Size, Trajectory
from synesthete.generators.blocks import BlockStore
from synesthete.generators.control import build_signals
from synesthete.generators.cppn import CppnGenerator, spec_of
from synesthete.generators.diffusion import DiffusionGenerator
from synesthete.generators.dream_style import style_picture
from synesthete.generators.fuse import Fuser
from synesthete.generators.gan import WalkGenerator
from synesthete.generators.networks import load_gan_network, load_networks, network_digests
from synesthete.generators.periodic import Period
from synesthete.generators.program import ProgramGenerator, program_of
from synesthete.models.cppn import CppnWeights
from synesthete.models.cppn_file import unpacked
from synesthete.programs.style import restyled

__all__ = [
    "build_fuser",
    "build_generator",
    "check_preset",
    "choose_device",
    "network_digests_of",
    "score_preset",
    "weights_of",
]

_FUSING_PAYS_PIXELS = {"cppn": 1.5e9, "program": 3e8, "gan": 2.5e9, "diffusion": 2.5e9}
"""Compiling takes some 15 s; on two cores eager rendering loses about 15, 50 or 8 ns a pixel against it. The
generator gan itself has nothing that is compiled, but post and dither have."""


def build_fuser(options: RenderOptions, generator: str, size: Size, frames: int) -> Fuser:
    """Decide whether to compile kernels; ``auto`` does where the film is long enough to win by it."""
    pays = size.width * size.height * frames >= _FUSING_PAYS_PIXELS[generator]
    wanted = options.kernels == "fused" or (options.kernels == "auto" and pays)
    return Fuser(options.workspace / "cache" / "kernels", wanted=wanted)


def build_generator(preset: Preset, options: RenderOptions, fuser: Fuser) -> Generator:
    """Build a preset's generator."""
    device = choose_device(options.device)
    if preset.generator == "program":
        program = restyled(program_of(preset), preset.seed)
        return ProgramGenerator(program, fuser, origin=preset.style, device=device, tile=options.tile)
    if preset.generator == "diffusion":
        width, height = options.size()
        return DiffusionGenerator(
            preset.diffusion,
            load_networks(preset.diffusion),
            fuser,
            blocks=BlockStore(options.workspace / "cache" / "blocks"),
            aspect=width / height,
            device=device,
            precision=options.precision,
            decoding=options.decoder,
            graphs=options.workspace / "cache" / "graphs",
        )
    if preset.generator == "gan":
        width, height = options.size()
        return WalkGenerator(
            preset.gan,
            load_gan_network(preset.gan),
            anchors=BlockStore(options.workspace / "cache" / "anchors"),
            aspect=width / height,
            device=device,
            precision=options.precision,
            decoding=options.decoder,
            graphs=options.workspace / "cache" / "graphs",
        )
    return CppnGenerator(
        preset.cppn,
        fuser,
        device=device,
        precision=options.precision,
        tile=options.tile,
        weights=weights_of(preset.cppn),
    )


def weights_of(look: CppnLook) -> CppnWeights | None:
    """Load the weights that a look's network brings along; None if they are drawn from the seed.

    Raises
    ------
    ConfigError
        If they can't be read, or are of another network than the look's.
    RenderError
        If the file was changed since the preset was loaded.
    """
    weights = look.net.weights
    if weights is None:
        return None
    if weights.place is None:
        raise ValueError(f"the weights {weights.file} were not looked for")
    data = weights.place.read_bytes()
    if digest_bytes(data) != weights.sha256:
        raise RenderError(f"{weights.place} was changed while it was used; repeat the command")
    try:
        return unpacked(data, spec_of(look.net))
    except ValueError as error:
        raise ConfigError(f"cppn.net.weights: {weights.place.name} {error}") from None


def network_digests_of(presets: Iterable[Preset]) -> dict[str, dict[str, str]]:
    """Give the SHA-256 of the files of trained networks that presets draw with, by the presets' names.

    Of those that ship no preset says which they are. Presets without such networks are left out.
    """
    looks = {p.name: getattr(p, p.generator) for p in presets if p.generator in ("gan", "diffusion")}
    return {name: network_digests(look) for name, look in looks.items()}


def score_preset(
    preset: Preset,
    generator: Generator,
    timeline: Timeline,
    *,
    frame_rate: Fraction,
    style: Float[np.ndarray, "frames style"] | None = None,
    shutter: Fraction = Fraction(0),
    period: Period | None = None,
) -> Trajectory:
    """Plan a whole song in one preset: its signals, its seed, and a style that moves or stays."""
    signals = build_signals(
        timeline,
        preset.control,
        frame_rate=frame_rate,
        seed=preset.seed,
        shutter=shutter,
        period=period,
    )
    if style is None:
        style = np.broadcast_to(np.array(preset.style), (signals.frames, len(preset.style)))
    return generator.score(signals, style, preset.seed)


def check_preset(preset: Preset) -> None:
    """Check what configuration alone can't: that a program can be read, and that envelopes follow columns.

    Raises
    ------
    ConfigError
        If a program, weights or a picture can't be read, or there is no such column, not even with stems.
    """
    columns = {*COLUMN_NAMES, *(spec.name for spec in stem_specs())}
    for name, envelope in preset.control.envelopes.items():
        if envelope.column not in columns:
            raise ConfigError(
                f"control.envelopes.{name}.column = {envelope.column!r} is no Timeline column; "
                f"known are {', '.join(COLUMN_NAMES)}"
            )
    if preset.generator == "program":
        program_of(preset)
    elif preset.generator == "gan":
        load_gan_network(preset.gan)
    elif preset.generator == "diffusion":
        load_networks(preset.diffusion)
        image = preset.diffusion.style_image
        if image is not None and image.place is not None:
            style_picture(image.place)
    else:
        weights_of(preset.cppn)


def choose_device(wanted: str) -> str:
    """Resolve ``auto`` and refuse what is not there.

    Raises
    ------
    ConfigError
        If the device is not available on this machine.
    """
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if wanted == "auto":
        return "cuda" if cuda else "cpu"
    if (wanted == "cuda" and not cuda) or (wanted == "mps" and not mps):
        raise ConfigError(
            f"--device {wanted} is not available with this PyTorch on this machine; pass --device auto"
        )
    return wanted
