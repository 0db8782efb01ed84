"""The options of a render: what the command line, Python and the manifest share."""

import re
from fractions import Fraction
from math import inf
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, model_validator

from synesthete.clock import parse_frame_rate, parse_timestamp
from synesthete.config.base import Frozen
from synesthete.config.decoder import Decoder
from synesthete.config.formats import FORMATS, BitDepth, Codec, check_format, choose_codec
from synesthete.config.motion import LoopWish, ShutterAngle
from synesthete.config.preset import GeneratorName, default_preset
from synesthete.config.style_image import StyleImage
from synesthete.config.titles import Titles
from synesthete.errors import ConfigError
from synesthete.seeding import MAX_SEED

__all__ = [
    "ASPECTS",
    "Aspect",
    "Device",
    "EncoderName",
    "FlashSafety",
    "Kernels",
    "PrecisionName",
    "RenderOptions",
    "SceneRule",
    "Speed",
    "Transition",
    "default_quality",
    "picture_size",
]

Aspect = Literal["16:9", "9:16", "1:1", "4:5", "21:9"]
Device = Literal["auto", "cpu", "cuda", "mps"]
Kernels = Literal["auto", "fused", "eager"]
PrecisionName = Literal["auto", "float32", "bfloat16", "float16"]
EncoderName = Literal["libx264", "hardware", "h264_nvenc", "h264_videotoolbox", "h264_qsv", "h264_amf"]
Speed = Literal[
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"
]
Transition = Literal["cut", "crossfade", "morph"]
FlashSafety = Literal["off", "warn", "limit"]

ASPECTS: dict[Aspect, tuple[int, int]] = {
    "16:9": (16, 9), "9:16": (9, 16), "1:1": (1, 1), "4:5": (4, 5), "21:9": (21, 9),
}  # fmt: skip
PREVIEW_SHORT_SIDE = 256
_PREVIEW_CRF = 6
_SHORT_SIDE = re.compile(r"(\d{2,4})p")
_WIDTH_HEIGHT = re.compile(r"(\d{2,5})x(\d{2,5})")
MIN_SIDE, MAX_SIDE = 64, 8192

# Up to which short side, pixels: crf and speed. Measured in docs/formats.md; what has no choice has one row.
_Quality = tuple[tuple[float, tuple[int, Speed]], ...]
_QUALITY: dict[Codec, _Quality] = {
    "h264": ((480, (17, "medium")), (720, (18, "fast")), (1080, (19, "superfast")), (inf, (20, "superfast"))),
    "hevc": (
        (480, (19, "fast")),
        (720, (20, "veryfast")),
        (1080, (21, "superfast")),
        (inf, (22, "ultrafast")),
    ),
    "vp9": (
        (480, (24, "faster")),
        (720, (26, "veryfast")),
        (1080, (28, "ultrafast")),
        (inf, (30, "ultrafast")),
    ),
    "av1": (
        (480, (24, "faster")),
        (720, (26, "veryfast")),
        (1080, (28, "superfast")),
        (inf, (30, "ultrafast")),
    ),
    "prores422": ((inf, (0, "medium")),),
    "prores4444": ((inf, (0, "medium")),),
    "gif": ((inf, (0, "medium")),),
    "webp": ((inf, (20, "medium")),),
}


def picture_size(resolution: str, aspect: Aspect | None) -> tuple[int, int]:
    """Resolve a resolution and an aspect to width and height.

    Parameters
    ----------
    resolution
        ``720p`` (the short side), ``4k`` (2160p) or ``1280x720``.
    aspect
        Goes with a short side only; None means 16:9.

    Raises
    ------
    ConfigError
        If the two contradict, or a side is odd or outside 64-8192.

    Examples
    --------
    >>> picture_size("1080p", "9:16")
    (1080, 1920)
    """
    text = "2160p" if resolution.lower() == "4k" else resolution.lower()
    if match := _WIDTH_HEIGHT.fullmatch(text):
        if aspect is not None:
            raise ConfigError(
                f"--resolution {resolution} fixes both sides; drop --aspect {aspect}, or name a short side "
                "such as --resolution 1080p"
            )
        width, height = int(match[1]), int(match[2])
    elif match := _SHORT_SIDE.fullmatch(text):
        short = int(match[1])
        across, down = ASPECTS[aspect or "16:9"]
        long = 2 * round(Fraction(short * max(across, down), 2 * min(across, down)))
        width, height = (long, short) if across >= down else (short, long)
    else:
        raise ConfigError(
            f"resolution {resolution[:40]!r} is not known; pass 360p, 720p, 1080p, 4k or WIDTHxHEIGHT"
        )
    for name, side in (("width", width), ("height", height)):
        if side % 2 or not MIN_SIDE <= side <= MAX_SIDE:
            raise ConfigError(
                f"resolution {resolution} gives {name} {side}; "
                f"sides are even and from {MIN_SIDE} to {MAX_SIDE}"
            )
    return width, height


def default_quality(short_side: int, codec: Codec = "h264") -> tuple[int, Speed]:
    """Choose crf and encoder speed for a picture size and a codec: small films can afford a slower search.

    Encoding is most of a large film's time. At 1080 lines ``superfast`` at 19 takes 60 % of the time of
    ``veryfast`` at 18 and is 0.8 dB closer to the frames, for 1.5 to 1.8 times the bytes (7 to 14 Mbit/s).
    """
    return next(quality for limit, quality in _QUALITY[codec] if short_side <= limit)


def _timestamp(value: Any) -> Any:
    if value is None:
        return None
    try:
        return parse_timestamp(value)
    except ConfigError as error:
        raise ValueError(str(error)) from None  # so that pydantic names the field


Timestamp = Annotated[Fraction, BeforeValidator(_timestamp), PlainSerializer(str, when_used="json")]
FrameRate = Annotated[
    Fraction,
    BeforeValidator(parse_frame_rate),
    AfterValidator(parse_frame_rate),
    PlainSerializer(str, when_used="json"),
]

_EVERY_BARS = re.compile(r"every (\d{1,3}) bars?")


class SceneRule(Frozen):
    """Where scenes begin: nowhere, with the song's sections, at markers, or every so many bars."""

    kind: Literal["off", "sections", "markers", "bars"] = "off"
    bars: Annotated[int, Field(ge=0, le=999)] = 0

    @model_validator(mode="after")
    def _bars_are_counted(self) -> "SceneRule":
        if (self.kind == "bars") != (self.bars > 0):
            raise ValueError("scenes every so many bars need 1 bar or more, and others none")
        return self


def _scene_rule(value: Any) -> Any:
    if value is False:
        value = "off"  # as YAML 1.1 reads a plain off
    if not isinstance(value, str):
        return value
    if match := _EVERY_BARS.fullmatch(value.strip().lower()):
        if int(match[1]) == 0:
            raise ValueError("scenes of 0 bars can't be; give 1 or more")
        return {"kind": "bars", "bars": int(match[1])}
    if value not in ("off", "sections", "markers"):
        raise ValueError('must be off, sections, markers or "every N bars", such as "every 16 bars"')
    return {"kind": value}


def _written_rule(rule: SceneRule) -> str:
    return f"every {rule.bars} bars" if rule.kind == "bars" else rule.kind


Scenes = Annotated[SceneRule, BeforeValidator(_scene_rule), PlainSerializer(_written_rule, when_used="json")]
Bpm = Annotated[float, Field(ge=50, le=225)]
Lufs = Annotated[float, Field(ge=-40, le=-5)]


class RenderOptions(Frozen):
    """How to render one song; defaults are those of ``synesthete render``."""

    preset: str | None = Field(
        default=None, description="A shipped preset's name, a .yaml file, or auto: a family by what is heard."
    )
    generator: GeneratorName | None = Field(default=None, description="Take this generator's default preset.")
    mood: str | None = Field(
        default=None,
        description="How the choreography answers the music: a shipped mood's name, or a .yaml file.",
    )
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] | None = Field(
        default=None, description="Another variation of the preset."
    )
    set: tuple[str, ...] = Field(default=(), description="Change one field of the preset: key=value.")
    resolution: str = Field(default="1080p", description="360p to 4k (the short side), or WIDTHxHEIGHT.")
    aspect: Aspect | None = Field(default=None, description="Shape of the picture (default 16:9).")
    fps: FrameRate = Field(default=Fraction(30), description="24000/1001 to 120; fractions are allowed.")
    start: Timestamp | None = Field(default=None, description="Where in the song to start: seconds or m:ss.")
    end: Timestamp | None = Field(default=None, description="Where in the song to end: seconds or m:ss.")
    loop: LoopWish | None = Field(
        default=None,
        description="Make a seamless loop of the whole bars nearest to so many seconds, at --start; "
        "or of the whole song.",
    )
    bpm: Bpm | None = Field(default=None, description="The song's tempo, if you know it: 50 to 225.")
    stems: Path | None = Field(
        default=None, description="Folder with drums, bass, vocals or other as files of their own."
    )
    scenes: Scenes | None = Field(
        default=None,
        description='Let the look move on with the music: off, sections, markers or "every 16 bars" '
        "(default as the mood says, else off).",
    )
    marker: tuple[Timestamp, ...] = Field(
        default=(), description="Where scenes begin, with --scenes markers: seconds or m:ss in the song."
    )
    scene_preset: tuple[str, ...] = Field(
        default=(), description="Further presets that scenes take in turn, besides --preset."
    )
    transition: Transition | None = Field(
        default=None, description="How scenes begin (default by how much the music changes)."
    )
    lut: Path | None = Field(
        default=None, description="A table of colours, a .cube file, that the film's pictures go through."
    )
    style_image: StyleImage | None = Field(
        default=None,
        description="Take the style of a picture, in presets of the generator diffusion: PNG, JPEG or WebP; "
        "or of a film's moment, in seconds, film.mp4@12.5 (default its middle): MP4, MKV, WebM or MOV.",
    )
    loudness: Lufs | None = Field(
        default=None, description="Bring the sound to so many LUFS (off by default)."
    )
    limiter: bool = Field(default=False, description="Limit peaks to reach it; otherwise the gain gives way.")
    titles: Titles = Field(default=Titles(), description="What is written and drawn over the film.")
    shutter: ShutterAngle = Field(
        default=Fraction(0),
        description="Motion blur: for how many degrees of a frame's time it is exposed; 0 (off) to 360.",
    )
    device: Device = Field(default="auto", description="Where to compute.")
    precision: PrecisionName = Field(default="auto", description="Of the matrix products of wide nets.")
    kernels: Kernels = Field(default="auto", description="Compile fused kernels, or not.")
    decoder: Decoder = Field(default=Decoder(), description="How learned models decode latents.")
    tile: Annotated[int, Field(ge=0, le=2**24)] = Field(
        default=0, description="Pixels per tile; 0 chooses. Frames do not depend on it."
    )
    codec: Codec | None = Field(
        default=None, description="Format of the film (default by the output's name, else h264)."
    )
    bit_depth: BitDepth | None = Field(
        default=None, description="Bits per colour: 8 or 10 (default by codec)."
    )
    alpha: bool = Field(default=False, description="Make the dark transparent, in presets of light on black.")
    hardware: bool = Field(default=False, description="Encode in hardware, if there is any that opens.")
    encoder: EncoderName = Field(default="libx264", description="H.264 encoder; only libx264 is exact.")
    crf: Annotated[int, Field(ge=0, le=100)] | None = Field(
        default=None, description="Quality, lower is better (default by resolution and codec)."
    )
    speed: Speed | None = Field(default=None, description="Encoder effort (default by resolution and codec).")
    preview: bool = Field(default=False, description="Small and quick, with the same choreography.")
    workers: Annotated[int, Field(ge=1, le=256)] | None = Field(
        default=None, description="Segments rendered side by side (default: one per core)."
    )
    frames: Path | None = Field(default=None, description="Also write every frame as PNG into this folder.")
    flash_safety: FlashSafety = Field(
        default="limit",
        description="Keep to at most 3 flashes in any second, or only warn of more, or neither.",
    )
    certificate: bool = Field(default=True, description="Measure the film and write its certificate.")
    workspace: Path = Field(default=Path(), description="Where cache/ and renders/ live.")
    force: bool = Field(default=False, description="Render anew what is already finished.")
    allow_truncated: bool = Field(default=False, description="Use what can be decoded of a damaged file.")

    @model_validator(mode="after")
    def _consistent(self) -> "RenderOptions":
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise ValueError(f"end {float(self.end):g} s must lie after start {float(self.start):g} s")
        if self.loop is not None and self.loop != "whole" and self.end is not None:
            raise ValueError("a loop ends where its bars do; drop --end, or drop --loop")
        if self.loop is not None and (self.marker or self.scene_preset or self.transition):
            raise ValueError("a loop stays in one look; drop what is for scenes, or drop --loop")
        if self.limiter and self.loudness is None:
            raise ValueError(
                "the limiter needs a loudness to reach; pass --loudness -14 too, or drop --limiter"
            )
        if self.codec is not None:
            self._check_format(self.codec)
        kind = "off" if self.scenes is None else self.scenes.kind
        if kind == "markers" and not self.marker:
            raise ValueError("scenes at markers need markers; pass --marker 1:30 for each")
        if kind != "markers" and self.marker:
            raise ValueError("markers are for --scenes markers; pass that too")
        if self.scenes is not None and kind == "off" and (self.scene_preset or self.transition):
            raise ValueError("scenes are off; pass --scenes sections too, or drop what is for scenes")
        if self.loop is not None and kind != "off":
            raise ValueError("a loop stays in one look; drop --scenes, or drop --loop")
        if self.loop is not None and (self.titles.fade_in or self.titles.fade_out):
            raise ValueError("a loop has no start or end to fade; drop --fade-in and --fade-out, or --loop")
        return self

    def _check_format(self, codec: Codec) -> None:
        try:
            check_format(
                codec,
                bit_depth=self.bit_depth,
                alpha=self.alpha,
                crf=self.crf,
                speed=self.speed,
                fps=self.fps,
                loudness=self.loudness,
            )
        except ConfigError as error:
            raise ValueError(str(error)) from None  # so that pydantic collects it
        if codec != "h264" and self.encoder not in ("libx264", "hardware"):
            raise ValueError(
                f"encoder {self.encoder} makes h264, not {codec}; pass --hardware, or drop --codec {codec}"
            )

    def in_format(self, output: Path | None) -> "RenderOptions":
        """Give these options with the codec that is asked for, by itself or by the output's name.

        Raises
        ------
        ConfigError
            If the name ends in no known way, or the format can't hold what is asked for.
        """
        codec = choose_codec(self.codec, output, alpha=self.alpha)
        try:
            self._check_format(codec)
        except ValueError as error:
            raise ConfigError(str(error)) from None
        return self.model_copy(update={"codec": codec})

    def film_codec(self) -> Codec:
        """Give the codec of the film."""
        return choose_codec(self.codec, None, alpha=self.alpha)

    def depth(self) -> BitDepth:
        """Give the bits per colour of the film."""
        return self.bit_depth or FORMATS[self.film_codec()].depths[0]

    def size(self) -> tuple[int, int]:
        """Give width and height, of the preview if one is asked for."""
        width, height = picture_size(self.resolution, self.aspect)
        if not self.preview or min(width, height) <= PREVIEW_SHORT_SIDE:
            return width, height
        scale = Fraction(PREVIEW_SHORT_SIDE, min(width, height))
        return 2 * round(width * scale / 2), 2 * round(height * scale / 2)

    def quality(self) -> tuple[int, Speed]:
        """Give crf and encoder speed."""
        codec = self.film_codec()
        crf, speed = default_quality(min(self.size()), codec)
        if self.preview and FORMATS[codec].paced:
            crf, speed = crf + _PREVIEW_CRF if codec != "h264" else 23, "ultrafast"
        return (crf if self.crf is None else self.crf), (self.speed or speed)

    def scene_rule(self, mood: str | None) -> SceneRule:
        """Give where scenes begin: as is asked for, else as the mood says, else nowhere.

        In a loop there is one look only.

        Parameters
        ----------
        mood
            What the mood says, written as for ``--scenes``. Markers it can't know.
        """
        if self.scenes is not None:
            return self.scenes
        if self.loop is not None:
            return SceneRule()
        wish = "off" if mood is None or mood == "markers" else mood
        if wish == "off" and (self.scene_preset or self.transition):
            wish = "sections"  # what is given for scenes is meant to be seen
        return SceneRule.model_validate(_scene_rule(wish))

    def preset_name(self) -> str:
        """Give the preset to load."""
        if self.preset is not None:
            return self.preset
        return default_preset(self.generator)
