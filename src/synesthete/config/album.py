"""Albums: ``tracklist.json`` says what is on one, ``render.yaml`` how it is to look."""

from datetime import date
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from synesthete.clock import parse_frame_rate
from synesthete.config.base import Frozen
from synesthete.config.control import Seed
from synesthete.config.decoder import Decoder
from synesthete.config.motion import ShutterAngle
from synesthete.config.post import Balance, Share, Sharpening, Shift, ToneCurve, TrailSeconds
from synesthete.config.render import (
    ASPECTS,
    Aspect,
    Bpm,
    Device,
    FlashSafety,
    FrameRate,
    Kernels,
    Scenes,
    Speed,
    Timestamp,
    Transition,
    picture_size,
)
from synesthete.config.titles import TitleStyle
from synesthete.errors import ConfigError

__all__ = [
    "LOOK_FIELDS",
    "Album",
    "Arc",
    "Audio",
    "Controller",
    "Look",
    "PostFx",
    "TempoSync",
    "Track",
    "Trim",
]

MAX_TRACKS = 500
Text = Annotated[str, Field(min_length=1, max_length=300)]
PathText = Annotated[str, Field(min_length=1, max_length=1024)]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
Key = Annotated[str, Field(pattern=r"^[A-Ga-g][#b♯♭]?( ?(m|min|minor|maj|major))?$")]
Style = tuple[Annotated[float, Field(ge=-5, le=5)], ...]
StyleFour = Annotated[Style, Field(min_length=4, max_length=4)]


def _off(value: Any) -> Any:
    return "off" if value is False else value  # YAML 1.1 reads a plain off as false


class Trim(Frozen):
    """The part of a track that is used; null is the track's own end."""

    start: Timestamp | None = Field(default=None, description="Where to start: seconds or m:ss.")
    end: Timestamp | None = Field(default=None, description="Where to end: seconds or m:ss.")

    @model_validator(mode="after")
    def _forward(self) -> "Trim":
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise ValueError(f"end {float(self.end):g} s must lie after start {float(self.start):g} s")
        return self


class TempoSync(Frozen):
    """Whether motion falls on the beats."""

    enabled: bool = Field(default=True, description="Move in steps that fall on the beats.")
    subdivision: Annotated[float, Field(ge=0.125, le=64)] = Field(
        default=1.0, description="Beats per step: 0.5 is an eighth note in 4/4."
    )


class Controller(Frozen):
    """How the choreography answers the music: a mood, and what is to be other than in it."""

    preset: PathText = Field(
        default="default", description="The mood: a shipped one's name, or a .yaml file."
    )
    smoothing_alpha: Annotated[float, Field(ge=0, lt=1)] | None = Field(
        default=None,
        description="Smoothing as a share kept per sixtieth of a second: 0.92 is a time of 0.2 s.",
    )
    wander_seed: Seed | None = Field(default=None, description="Another slow walk than the seed's own.")
    tempo_sync: TempoSync | None = Field(default=None, description="Motion on the beats; null: as the mood.")


class PostFx(Frozen):
    """What is done to finished pictures; null: as the preset has it."""

    tone_curve: ToneCurve | None = Field(
        default=None, description="none, filmlog, filmic, punch, neutral or soft."
    )
    tone_amount: Share | None = Field(default=None, description="How much of the tone curve.")
    lut: PathText | None = Field(
        default=None, description="A table of colours: a .cube file below the album's folder."
    )
    lut_amount: Share | None = Field(default=None, description="How much of the table.")
    balance: Balance | None = Field(
        default=None, description="Colour balance: slope, offset, power and saturation, as an ASC CDL."
    )
    vignette: Share | None = Field(default=None, description="Share of light that corners lose.")
    grain_intensity: Share | None = Field(default=None, description="Film grain in the mid-tones.")
    chroma_shift: Shift | None = Field(
        default=None, description="How much larger red is drawn than blue, a share of the picture."
    )
    bloom: Share | None = Field(default=None, description="Light that bright places spill.")
    trails: Share | None = Field(default=None, description="How bright what was seen before still is.")
    trail_seconds: TrailSeconds | None = Field(
        default=None, description="How long until a trail is gone, seconds."
    )
    sharpen: Sharpening | None = Field(default=None, description="Contrast of the finest edges.")


class Look(Frozen):
    """How something looks: given for the album, and again for tracks that are to differ."""

    preset: PathText | None = Field(default=None, description="A shipped preset's name, or a .yaml file.")
    seed: Seed | None = Field(default=None, description="Another variation of the preset.")
    style: StyleFour | None = Field(default=None, description="How it looks, four numbers of about -2 to 2.")
    set: tuple[Text, ...] = Field(
        default=(), description="Changes of single fields of the preset: key=value."
    )
    controller: Controller = Field(default=Controller(), description="How the music moves it.")
    postfx: PostFx = Field(default=PostFx(), description="What is done to finished pictures.")
    titles: TitleStyle = Field(
        default=TitleStyle(), description="What is written and drawn over the film; texts are the track's."
    )
    scenes: Annotated[Scenes | None, BeforeValidator(_off)] = Field(
        default=None,
        description='off, sections, markers or "every 16 bars"; null: markers where there are any, else as '
        "the mood has it, else sections.",
    )
    scene_presets: Annotated[tuple[PathText, ...], Field(max_length=32)] = Field(
        default=(), description="Further presets that scenes take in turn."
    )
    transition: Transition | None = Field(
        default=None, description="How scenes begin; null: by how much the music changes."
    )


LOOK_FIELDS = tuple(Look.model_fields)


class Track(Look):
    """One track: what it is, and how it is to look where that differs from the album."""

    id: Id = Field(description="Names the track's folder; letters, digits, - and _.")
    src: PathText = Field(description="The sound file, below the album's folder.")
    title: Text | None = Field(default=None, description="Title; else the file's own, or its name.")
    artist: Text | None = Field(default=None, description="Artist; else the file's own, or the album's.")
    licence: Text | None = Field(
        default=None,
        validation_alias=AliasChoices("licence", "license"),
        description="Licence of the music, kept in the film's tags.",
    )
    bpm: Bpm | None = Field(default=None, description="Tempo, if it is known: 50 to 225.")
    key: Key | None = Field(default=None, description="Key, if it is known: Am, F#m, C major.")
    art: PathText | None = Field(default=None, description="Cover picture of the track, PNG or JPEG.")
    markers: Annotated[tuple[Timestamp, ...], Field(max_length=500)] = Field(
        default=(), description="Where in the file scenes begin, seconds or m:ss."
    )
    loop: bool = Field(
        default=False, description="The track is a loop: the film's end meets its start, in one look."
    )
    trim: Trim = Field(default=Trim(), description="The part of the file that is used.")
    stems: PathText | None = Field(default=None, description="Folder with the track's stems.")


class Audio(Frozen):
    """The sound of the films."""

    sample_rate: Literal[32_000, 44_100, 48_000, 88_200, 96_000] = Field(
        default=48_000, description="Samples per second of the album film, Hz."
    )
    normalization: Annotated[float, Field(ge=-40, le=-5)] | None = Field(
        default=-14.0,
        description="Loudness of the album, LUFS: one gain for all tracks. null leaves the sound as it is.",
    )
    limiter: bool = Field(
        default=False, description="Limit peaks to reach it; otherwise the gain gives way to them."
    )


class Arc(Frozen):
    """How the style moves over the album, from the first track to the last; added to each preset's style."""

    start: StyleFour = Field(default=(-0.8, -0.3, -0.3, 0.0), description="Offset of the first track.")
    end: StyleFour = Field(default=(0.8, 0.3, 0.3, 0.0), description="Offset of the last track.")


def _aspect(value: Any) -> Any:
    clock = {60 * across + down: name for name, (across, down) in ASPECTS.items()}
    return clock.get(value, value) if isinstance(value, int) else value  # YAML 1.1 reads 16:9 as a clock does


def _size(value: str) -> str:
    try:
        picture_size(value, None)
    except ConfigError as error:
        raise ValueError(str(error)) from None
    return value


def _resolution(value: Any) -> Any:
    if isinstance(value, list | tuple):
        if len(value) != 2 or not all(isinstance(side, int) and not isinstance(side, bool) for side in value):
            raise ValueError("must be [width, height] in pixels, or a text such as 1080p")
        return f"{value[0]}x{value[1]}"
    return value


def _rate(value: Any) -> Any:
    try:
        return parse_frame_rate(value)
    except ConfigError as error:
        raise ValueError(str(error)) from None  # so that pydantic names the field


def _date(value: Any) -> Any:
    plain = isinstance(value, int | date) and not isinstance(value, bool)
    return str(value) if plain else value  # YAML reads 2025 as a number, 2025-11-07 as a day


class Album(Look):
    """How an album is rendered: the fields of ``render.yaml``."""

    title: Text | None = Field(default=None, description="Title of the album; else the folder's name.")
    artist: Text | None = Field(default=None, description="Artist of the album.")
    licence: Text | None = Field(
        default=None,
        validation_alias=AliasChoices("licence", "license"),
        description="Licence of the music, kept in the films' tags.",
    )
    date: Annotated[Text | None, BeforeValidator(_date)] = Field(
        default=None, description="Date or year of the album."
    )
    cover: PathText | None = Field(default=None, description="Cover picture of the album, PNG or JPEG.")
    output_root: PathText | None = Field(
        default=None, description="Where films go, below the album's folder (default renders/TITLE)."
    )
    frame_rate: Annotated[FrameRate, BeforeValidator(_rate)] = Field(
        default=Fraction(30), description="24000/1001 to 120; fractions are allowed."
    )
    resolution: Annotated[str, BeforeValidator(_resolution), AfterValidator(_size)] = Field(
        default="1080p", description="[width, height], or 360p to 4k (the short side)."
    )
    aspect: Annotated[Aspect | None, BeforeValidator(_aspect)] = Field(
        default=None, description="Shape of the picture, with a short side."
    )
    crf: Annotated[int, Field(ge=0, le=51)] | None = Field(
        default=None, description="Quality, lower is better."
    )
    speed: Speed | None = Field(default=None, description="Encoder effort.")
    shutter: ShutterAngle = Field(
        default=Fraction(0),
        description="Motion blur: for how many degrees of a frame's time it is exposed; 0 (off) to 360.",
    )
    device: Device = Field(default="auto", description="Where to compute.")
    kernels: Kernels = Field(default="auto", description="Compile fused kernels, or not.")
    flash_safety: Annotated[FlashSafety, BeforeValidator(_off)] = Field(
        default="limit", description="limit films to 3 flashes in any second, only warn of more, or off."
    )
    audio: Audio = Field(default=Audio(), description="The sound of the films.")
    decoder: Decoder = Field(default=Decoder(), description="How learned models decode.")
    palette: Literal["shared", "own"] = Field(
        default="shared",
        description="shared: hues of all presets are turned towards those of the first track's.",
    )
    arc: Arc | None = Field(default=Arc(), description="How the style moves over the album; null: it stays.")
    tracks: tuple[Track, ...] = Field(
        description="The tracks, in order; laid over those of tracklist.json by id."
    )

    @field_validator("aspect")
    @classmethod
    def _size_is_clear(cls, aspect: Aspect | None, info: ValidationInfo) -> Aspect | None:
        try:
            picture_size(info.data.get("resolution", "1080p"), aspect)
        except ConfigError as error:
            raise ValueError(str(error)) from None
        return aspect

    @model_validator(mode="after")
    def _ids_once(self) -> "Album":
        if not 1 <= len(self.tracks) <= MAX_TRACKS:
            raise ValueError(f"an album has 1 to {MAX_TRACKS} tracks, not {len(self.tracks)}")
        seen: set[str] = set()
        for track in self.tracks:
            folded = track.id.lower()  # some file systems can't tell them apart
            if folded in seen:
                raise ValueError(f"the track id {track.id!r} is given twice; each names a folder of its own")
            seen.add(folded)
        return self
