"""The formats in which films are written: what each can hold, and which one a file's name asks for."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

from synesthete.errors import ConfigError

__all__ = ["FORMATS", "BitDepth", "Codec", "Format", "check_format", "choose_codec"]

Codec = Literal["h264", "hevc", "vp9", "av1", "prores422", "prores4444", "gif", "webp"]
BitDepth = Literal[8, 10]


@dataclass(frozen=True)
class Format:
    """What one format can hold.

    Attributes
    ----------
    name
        For people: ``VP9 in WebM``.
    suffix
        How its files' names end.
    depths
        Bits per colour that it can have, the usual one first.
    alpha
        Whether pictures may be transparent.
    sound
        Whether it has any.
    max_crf
        The worst quality that can be asked for; None if the quality is fixed.
    paced
        Whether its encoder can be faster or slower.
    max_fps
        Most frames per second that players show as they are.
    """

    name: str
    suffix: str
    depths: tuple[BitDepth, ...]
    alpha: bool = False
    sound: bool = True
    max_crf: int | None = 51
    paced: bool = True
    max_fps: Fraction = Fraction(120)


FORMATS: Final[Mapping[Codec, Format]] = MappingProxyType(
    {
        "h264": Format("H.264 in MP4", ".mp4", (8, 10)),
        "hevc": Format("HEVC in MP4", ".mp4", (8, 10)),
        "vp9": Format("VP9 in WebM", ".webm", (8, 10), alpha=True, max_crf=63),
        "av1": Format("AV1 in MP4", ".mp4", (8, 10), max_crf=63),
        "prores422": Format("ProRes 422 HQ in MOV", ".mov", (10,), max_crf=None, paced=False),
        "prores4444": Format("ProRes 4444 in MOV", ".mov", (10,), alpha=True, max_crf=None, paced=False),
        # Browsers show a GIF's frames of 1/100 s for 1/10 s.
        "gif": Format("GIF", ".gif", (8,), sound=False, max_crf=None, paced=False, max_fps=Fraction(50)),
        "webp": Format("animated WebP", ".webp", (8,), alpha=True, sound=False, max_crf=100),
    }
)

_BY_SUFFIX: Final[Mapping[str, Codec]] = MappingProxyType(
    {".mp4": "h264", ".mov": "prores422", ".webm": "vp9", ".gif": "gif", ".webp": "webp"}
)


def choose_codec(codec: Codec | None, output: Path | None, *, alpha: bool) -> Codec:
    """Give the codec that is asked for, else the one that the output's name asks for, else H.264.

    With alpha, where no codec is named, ProRes 4444 stands in for what has none.

    Raises
    ------
    ConfigError
        If the name ends in none of the known ways.

    Examples
    --------
    >>> choose_codec(None, Path("film.webm"), alpha=False), choose_codec(None, Path("a.mov"), alpha=True)
    ('vp9', 'prores4444')
    """
    if codec is not None:
        return codec
    if output is None:
        return "prores4444" if alpha else "h264"
    found = _BY_SUFFIX.get(output.suffix.lower())
    if found is None:
        *others, last = _BY_SUFFIX
        raise ConfigError(
            f"output {output} does not end in {', '.join(others)} or {last}; choose the end of your format"
        )
    return "prores4444" if alpha and found == "prores422" else found


def check_format(
    codec: Codec,
    *,
    bit_depth: BitDepth | None = None,
    alpha: bool = False,
    crf: int | None = None,
    speed: str | None = None,
    fps: Fraction = Fraction(30),
    loudness: float | None = None,
) -> None:
    """Refuse what a format can't hold.

    Raises
    ------
    ConfigError
        If it can't; says which can.
    """
    made = FORMATS[codec]
    if bit_depth is not None and bit_depth not in made.depths:
        fitting = [name for name, other in FORMATS.items() if bit_depth in other.depths]
        raise ConfigError(
            f"--bit-depth {bit_depth} can't be had in {codec}, which has {made.depths[0]} bits; drop it, or "
            f"pass --codec {', '.join(fitting[:-1])} or {fitting[-1]}"
        )
    if alpha and not made.alpha:
        fitting = [name for name, other in FORMATS.items() if other.alpha]
        raise ConfigError(
            f"--alpha can't be had in {codec}, whose pictures are opaque; pass "
            f"--codec {', '.join(fitting[:-1])} or {fitting[-1]}"
        )
    if crf is not None and made.max_crf is None:
        raise ConfigError(f"--crf {crf} has no effect on {codec}, whose quality is fixed; drop it")
    if crf is not None and made.max_crf is not None and crf > made.max_crf:
        raise ConfigError(f"--crf {crf} is beyond {codec}'s worst; pass 0 to {made.max_crf}")
    if speed is not None and not made.paced:
        raise ConfigError(f"--speed {speed} has no effect on {codec}, whose encoder has one pace; drop it")
    if fps > made.max_fps:
        raise ConfigError(
            f"{codec} can't show {float(fps):g} frames per second, at most {made.max_fps}; pass --fps 25"
        )
    if loudness is not None and not made.sound:
        raise ConfigError(f"{codec} has no sound whose loudness could be {loudness:g} LUFS; drop --loudness")
