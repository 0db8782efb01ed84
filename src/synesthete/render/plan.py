"""The plan of a render: everything that is decided before the first frame is drawn."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from synesthete import __version__
from synesthete.clock import Clock, samples_at
from synesthete.config.mood import DEFAULT_MOOD
from synesthete.config.preset import Preset
from synesthete.config.render import RenderOptions
from synesthete.files import code_digest, digest_file, digest_json, slug
from synesthete.generators.base import Size
from synesthete.generators.build import network_digests_of
from synesthete.media.encode import VideoSettings
from synesthete.media.gain import Gain
from synesthete.media.versions import library_versions
from synesthete.render.loop_plan import Loop
from synesthete.render.schedule import Schedule, Voice, lasting
from synesthete.render.shutter import pictures_per_frame
from synesthete.render.titles import FilmTitles

__all__ = ["SEGMENT_SECONDS", "RenderPlan", "Segment", "SongFacts", "cut_segments"]

SEGMENT_SECONDS = 4
"""Length of a Segment: short enough to lose little, long enough that closed GOPs cost little."""

_SEGMENTS_PER_MEMORY = 5
"""With trails a Segment is so many times as long as they are: warming up costs a sixth at most."""

_SOUND_NAMES = {"aac": "aac-256k", "libopus": "opus-256k", "pcm_s24le": "pcm-24", None: "none"}
_FILM_TAGS = (
    "title", "artist", "album", "album_artist", "composer", "date", "track", "genre", "copyright",
)  # fmt: skip


@dataclass(frozen=True)
class SongFacts:
    """What identifies the sound of a film.

    Attributes
    ----------
    path
        The file.
    digest
        SHA-256 of its bytes.
    sample_rate, channels, samples
        Of the part that is used, at its own rate; channels as decoded, 1 or 2.
    start, end
        The part, seconds; None for the file's own ends.
    tags
        Title, artist and so on.
    """

    path: Path
    digest: str
    sample_rate: int
    channels: int
    samples: int
    start: Fraction | None
    end: Fraction | None
    tags: Mapping[str, str]

    @property
    def duration(self) -> Fraction:
        """Length of the part, seconds."""
        return Fraction(self.samples, self.sample_rate)

    def identity(self) -> dict[str, Any]:
        """Give what counts for keys: content and part, not the file's name."""
        part = [None if t is None else str(t) for t in (self.start, self.end)]
        return {"sha256": self.digest, "part": part, "samples": self.samples, "rate": self.sample_rate}


@dataclass(frozen=True)
class Segment:
    """A fixed run of frames, ``start`` to ``stop`` (exclusive): the unit of rendering and resume."""

    index: int
    start: int
    stop: int

    @property
    def frames(self) -> int:
        """Count the frames."""
        return self.stop - self.start


def cut_segments(
    frames: int, frame_rate: Fraction, *, seconds: Fraction = Fraction(SEGMENT_SECONDS)
) -> list[Segment]:
    """Cut a film into Segments of four seconds, or of another length.

    Examples
    --------
    >>> [segment.frames for segment in cut_segments(300, Fraction(30))]
    [120, 120, 60]
    """
    length = round(seconds * frame_rate)
    starts = range(0, frames, length)
    return [Segment(i, start, min(start + length, frames)) for i, start in enumerate(starts)]


@dataclass(frozen=True)
class RenderPlan:
    """A resolved render.

    Attributes
    ----------
    song, preset, options
        Inputs; the preset with seed and changes applied.
    size, frame_rate, frames
        Of the film.
    video
        Encoder settings.
    timeline_digest
        SHA-256 of the Timeline.
    schedule
        The scenes; None if the preset stays as it is from start to end.
    mood
        The name of the mood that the preset has taken on already.
    gain
        The gain that the sound gets in any case: that of its album.
    cover
        A picture for players to show, PNG or JPEG.
    titles
        What is written and drawn over the film, if anything is.
    loop
        What of the song it is a loop of, if it is one.
    """

    song: SongFacts
    preset: Preset
    options: RenderOptions
    size: Size
    frame_rate: Fraction
    frames: int
    video: VideoSettings
    timeline_digest: str
    schedule: Schedule | None = None
    mood: str = DEFAULT_MOOD
    gain: Gain | None = None
    cover: Path | None = None
    titles: FilmTitles | None = None
    loop: Loop | None = None

    @property
    def segment_seconds(self) -> Fraction:
        """Give the length of a Segment; longer where trails must be warmed up for each."""
        post = self.preset.post
        memory = Fraction(0) if post.trails.is_zero else Fraction(post.trail_seconds)
        return max(Fraction(SEGMENT_SECONDS), _SEGMENTS_PER_MEMORY * memory)

    @property
    def film_name(self) -> str:
        """Name the film's file."""
        return f"film{self.video.coding.film.suffix}"

    def voices(self) -> tuple[list[Voice], Float[np.ndarray, "frames voices"]]:
        """Give what is to be drawn all along, and how much of each is seen; see `Schedule.voices`."""
        shutter = self.options.shutter
        pictures = self.planned_frames * pictures_per_frame(shutter)
        return (self.schedule or lasting(self.preset)).voices(pictures, self.frame_rate, shutter)

    @property
    def planned_frames(self) -> int:
        """Count the frames that are planned: the film's, and what is heard around a loop."""
        if self.loop is None:
            return self.frames
        samples = self.song.samples + 2 * samples_at(self.loop.lead, self.song.sample_rate)
        return Clock(self.frame_rate).frames_for(samples, self.song.sample_rate)

    def inputs(self) -> dict[str, Any]:
        """Give the declared inputs that the film follows from."""
        return {
            **self.picture_inputs(),
            "sound": self.sound_key(),
            "tags": self.film_tags(),
            "cover": None if self.cover is None else digest_file(self.cover),
        }

    def picture_inputs(self) -> dict[str, Any]:
        """Give the declared inputs that the film's pictures follow from."""
        return {
            "song": self.song.identity(),
            "preset": self.preset.model_dump(mode="json"),
            "size": str(self.size),
            "frame_rate": str(self.frame_rate),
            "frames": self.frames,
            "video": asdict(self.video),
            "numerics": [self.options.device, self.options.precision, self.options.kernels],
            **self._decoder(),
            "timeline": self.timeline_digest,
            "flash_safety": self.options.flash_safety,
            **({"scenes": self.schedule.inputs()} if self.schedule else {}),
            **self._networks(),
            **({"titles": self.titles.inputs()} if self.titles else {}),
            **self._motion(),
            "code": code_digest(),
            "libraries": library_digest(),
        }

    def _networks(self) -> dict[str, Any]:
        """Give which trained networks draw; nothing where none does."""
        digests = network_digests_of((self.schedule or lasting(self.preset)).presets)
        return {"networks": digests} if digests else {}

    def _decoder(self) -> dict[str, Any]:
        """Give by which runtime learned networks decode, and where; nothing where none does."""
        if not self._networks():
            return {}
        decoder = self.options.decoder
        onnx = decoder.runtime == "onnxruntime"
        return {"decoder": [decoder.runtime, decoder.execution_provider if onnx else self.options.device]}

    def _motion(self) -> dict[str, Any]:
        """Give what pictures follow from besides: how long frames are exposed, and the loop."""
        motion: dict[str, Any] = {"shutter": str(self.options.shutter)} if self.options.shutter else {}
        return motion if self.loop is None else {**motion, "loop": self.loop.to_json()}

    @property
    def run_id(self) -> str:
        """Name the run after its inputs: the same command finds the same run."""
        name = f"{slug(self.song.path.stem, limit=32)}-{slug(self.preset.name, limit=24)}"
        return f"{name}-{digest_json(self.inputs())[:10]}"

    def segment_key(
        self, segment: Segment, *, trajectory: str, numeric_path: str, flash: str | None = None
    ) -> str:
        """SHA-256 over what a Segment's picture follows from.

        Parameters
        ----------
        flash
            SHA-256 over what the flash limiter does to it; None if it leaves it as it is.
        """
        return digest_json(
            {
                "trajectory": trajectory,
                "looks": [
                    [preset.generator, preset.model_dump(mode="json")[preset.generator]]
                    for preset in (self.schedule or lasting(self.preset)).presets
                ],
                "post": [self.preset.post.model_dump(mode="json"), self.preset.seed],
                "titles": self.titles.inputs() if self.titles else None,
                "overlay": self.timeline_digest if self.titles and self.titles.style.overlay else None,
                **self._motion(),
                "numeric_path": numeric_path,
                "range": [segment.start, segment.stop],
                **({} if flash is None else {"flash": flash}),
                "size": str(self.size),
                "frame_rate": str(self.frame_rate),
                "video": asdict(self.video),
                "code": code_digest(),
                "libraries": library_digest(),
            }
        )

    def film_tags(self) -> dict[str, str]:
        """Give those of the song's tags that its film has."""
        return {name: self.song.tags[name] for name in _FILM_TAGS if name in self.song.tags}

    def sound_key(self) -> str:
        """SHA-256 over what the film's sound follows from."""
        return digest_json(
            {
                "song": self.song.identity(),
                "codec": _SOUND_NAMES[self.video.coding.sound],
                "loudness": [self.options.loudness, self.options.limiter],
                "gain": None if self.gain is None else asdict(self.gain),
                **({} if self.loop is None else {"loop": self.loop.to_json()}),
            }
        )

    def summary(self) -> dict[str, Any]:
        """Give the plan as JSON, for ``--dry-run`` and the manifest."""
        return {
            "run_id": self.run_id,
            "song": str(self.song.path),
            "duration_s": float(self.song.duration),
            "preset": self.preset.name,
            "generator": self.preset.generator,
            "mood": self.mood,
            "seed": self.preset.seed,
            "width": self.size.width,
            "height": self.size.height,
            "frame_rate": str(self.frame_rate),
            "frames": self.frames,
            "scenes": len(self.schedule.scenes) if self.schedule else 1,
            "segments": len(cut_segments(self.frames, self.frame_rate, seconds=self.segment_seconds)),
            **({} if self.loop is None else {"loop": self.loop.to_json()}),
            "codec": self.video.codec,
            "bit_depth": self.video.bit_depth,
            "alpha": self.video.alpha,
            "encoder": self.video.encoder,
            "crf": self.video.crf,
            "speed": self.video.speed,
            "device": self.options.device,
            **({"warnings": list(self.titles.warnings)} if self.titles and self.titles.warnings else {}),
            "synesthete": __version__,
        }


@lru_cache(maxsize=1)
def library_digest() -> str:
    """SHA-256 over the versions of the libraries, and the processor, that decide a film's bytes."""
    versions = {name: metadata.version(name) for name in ("torch", "av", "numpy", "scipy")}
    return digest_json([versions, library_versions(), torch.backends.cpu.get_cpu_capability()])
