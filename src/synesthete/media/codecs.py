"""The table of codecs: containers, encoders, pixels and sound of each; how a film's picture is encoded."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, get_args

from synesthete.errors import ConfigError
from synesthete.media.pixels import RGB8, RGBA8, YUV420P8, Pixels

__all__ = [
    "CODINGS",
    "MP4",
    "Coding",
    "Container",
    "SoundCodec",
    "Speed",
    "VideoSettings",
    "container_of",
    "sound_container",
]

Speed = Literal[
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"
]
"""x264's presets, fastest first; other encoders take the nearest of their own."""

SoundCodec = Literal["aac", "pcm_s24le", "libopus"]


@dataclass(frozen=True)
class Container:
    """A kind of file.

    Attributes
    ----------
    name
        FFmpeg's, of the writer and of the reader.
    suffix
        How names end.
    exact
        Whether timestamps may have any unit; else they are of 1 ms.
    cover
        Whether a picture can be put beside the film, for players to show.
    """

    name: str
    suffix: str
    exact: bool = True
    cover: bool = False


MP4: Final = Container("mp4", ".mp4", cover=True)
_M4A: Final = Container("mp4", ".m4a")
_MOV: Final = Container("mov", ".mov")
_WEBM: Final = Container("webm", ".webm", exact=False)
_NUT: Final = Container("nut", ".nut")
_GIF: Final = Container("gif", ".gif", exact=False)
_WEBP: Final = Container("webp", ".webp", exact=False)
_CONTAINERS: Final = {each.suffix: each for each in (MP4, _MOV, _WEBM, _NUT, _GIF, _WEBP)}


@dataclass(frozen=True)
class Coding:
    """How one codec's films are made.

    Attributes
    ----------
    encoders
        FFmpeg's names: the software one, which gives the same bytes every time, then those in hardware.
    film, segment
        Containers of the film and of its Segments.
    pixels
        What the encoder is given, by bits per value and whether there is alpha.
    sound
        Codec of the sound; None for films without.
    tag
        The codec's four letters in the file, where FFmpeg's own choice is not what players want.
    """

    encoders: tuple[str, ...]
    film: Container
    pixels: Mapping[tuple[int, bool], Pixels]
    segment: Container
    sound: SoundCodec | None
    tag: str | None = None


def _hardware(codec: str) -> tuple[str, ...]:
    return tuple(f"{codec}_{maker}" for maker in ("nvenc", "videotoolbox", "qsv", "amf"))


_YUV420: Final = {(8, False): YUV420P8, (10, False): Pixels("yuv420p10le", "420", 10)}
_YUVA420: Final = {(8, True): Pixels("yuva420p", "420", alpha=True)}
_P422: Final = {(10, False): Pixels("yuv422p10le", "422", 10)}
_P444: Final = {
    (10, False): Pixels("yuv444p10le", "444", 10),
    (10, True): Pixels("yuva444p10le", "444", 10, alpha=True),
}

CODINGS: Final[Mapping[str, Coding]] = MappingProxyType(
    {
        "h264": Coding(("libx264", *_hardware("h264")), MP4, _YUV420, MP4, "aac"),
        # Apple's players want parameter sets out of band, and know that by this tag.
        "hevc": Coding(("libx265", *_hardware("hevc")), MP4, _YUV420, MP4, "aac", tag="hvc1"),
        "vp9": Coding(("libvpx-vp9",), _WEBM, {**_YUV420, **_YUVA420}, _WEBM, "libopus"),
        "av1": Coding(("libsvtav1", "av1_nvenc", "av1_qsv", "av1_amf"), MP4, _YUV420, MP4, "aac"),
        "prores422": Coding(("prores_ks",), _MOV, _P422, _MOV, "pcm_s24le"),
        "prores4444": Coding(("prores_ks",), _MOV, _P444, _MOV, "pcm_s24le"),
        # A GIF's palette is chosen once all pictures are known, and FFmpeg can't join animated WebPs: their
        # Segments are lossless, and the film is drawn from them.
        "gif": Coding(("ffv1",), _GIF, {(8, False): RGB8}, _NUT, None),
        "webp": Coding(("ffv1",), _WEBP, {(8, False): RGB8, (8, True): RGBA8}, _NUT, None),
    }
)
"""All codecs by the names that `synesthete.config.formats` gives them."""

_SOUND: Final[Mapping[str, Container]] = {"aac": _M4A, "pcm_s24le": _MOV, "libopus": _WEBM}
_CRF_LIMITS: Final = {"vp9": 63, "av1": 63, "webp": 100}


def container_of(path: Path) -> Container:
    """Tell what kind of file of our own a name stands for; MP4 if its end says nothing else."""
    return _CONTAINERS.get(path.suffix.lower(), MP4)


def sound_container(codec: SoundCodec) -> Container:
    """Give the container in which a sound waits for its film."""
    return _SOUND[codec]


@dataclass(frozen=True)
class VideoSettings:
    """How a film's picture is encoded.

    Parameters
    ----------
    encoder
        One of the codec's encoders.
    crf
        Constant rate factor, 0 (best) to 51 (worst), or 63 for VP9 and AV1, or 100 for WebP; 18 is visually
        clean in H.264. ProRes and GIF have none.
    speed
        One of `Speed`.
    keyframe_seconds
        Longest distance between two keyframes, seconds; seeking lands on keyframes.
    threads
        Encoder threads, 1 or more; the bytes depend on it, so it belongs in a segment's key.
    codec
        One of `CODINGS`.
    bit_depth
        Bits per value: 8 or 10.
    alpha
        Whether pictures are transparent.

    Raises
    ------
    ConfigError
        If a value is out of its range, or two contradict.
    """

    encoder: str = "libx264"
    crf: int = 18
    speed: str = "veryfast"
    keyframe_seconds: float = 2.0
    threads: int = 1
    codec: str = "h264"
    bit_depth: int = 8
    alpha: bool = False

    def __post_init__(self) -> None:
        _check_choice("codec", self.codec, tuple(CODINGS))
        _check_choice("encoder", self.encoder, self.coding.encoders)
        _check_choice("speed", self.speed, get_args(Speed))
        limit = _CRF_LIMITS.get(self.codec, 51)
        if not 0 <= self.crf <= limit:
            raise ConfigError(f"crf {self.crf} is outside 0 to {limit}; 18 looks clean, 28 is small")
        if not 0 < self.keyframe_seconds <= 60:
            raise ConfigError(f"keyframe_seconds {self.keyframe_seconds} is outside 0 to 60; pass 2")
        if not 1 <= self.threads <= 64:
            raise ConfigError(f"threads {self.threads} is outside 1 to 64; pass 1")
        if (self.bit_depth, self.alpha) not in self.coding.pixels:
            kind = f"{self.bit_depth} bits {'with' if self.alpha else 'without'} alpha"
            raise ConfigError(f"{self.codec} has no pixels of {kind}; pass others, or another codec")

    @property
    def coding(self) -> Coding:
        """Give how the codec's films are made."""
        return CODINGS[self.codec]

    @property
    def pixels(self) -> Pixels:
        """Give what the encoder is given."""
        return self.coding.pixels[self.bit_depth, self.alpha]


def _check_choice(name: str, given: str, allowed: tuple[str, ...]) -> None:
    if given not in allowed:
        raise ConfigError(f"{name} {given!r} is unknown; choose one of {', '.join(allowed)}")
