"""What `dreams.py` measures on films: each song with the certificate's figures, drift, and seams."""

import argparse
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from acceptance import music_in
from random_programs import TRACKS
from synesthete.audio.compose import compose
from synesthete.audio.timeline import Timeline
from synesthete.clock import ANALYSIS_RATE, ANALYSIS_SAMPLE_RATE, Clock
from synesthete.config.preset import Preset, load_preset
from synesthete.config.render import RenderOptions
from synesthete.evaluation.certificate import certify
from synesthete.evaluation.fading import last_over_first, look_courses
from synesthete.evaluation.generator_probes import relative_gap
from synesthete.evaluation.music_changes import excerpt, permuted
from synesthete.evaluation.observe import Observation, observe
from synesthete.evaluation.picture import measure_picture
from synesthete.evaluation.response import measure_response
from synesthete.evaluation.seams import find_seams
from synesthete.evaluation.subjects import PresetSubject, ProbeSong, Subject, spread
from synesthete.evaluation.sync import LEAST_SECONDS
from synesthete.evaluation.verdicts import value_at
from synesthete.files import make_folder
from synesthete.generators.base import Size
from synesthete.generators.dreamer import BLOCK
from synesthete.generators.networks import Networks, load_networks
from synesthete.generators.quantise import Quantiser
from synesthete.media.decode import decode_sound
from synesthete.media.probe import probe_sound
from synesthete.media.sound_file import write_sound
from synesthete.render.listen import hear

RATE, SIZE = Fraction(30), Size(256, 144)
LONG_SIZE = Size(128, 72)
SILENCE_S, AFTER_S = 4, 2
SHUFFLED = 64
MINUTE_S = 60
HEARD = ("loudness", "bass", "mid", "treble", "onset", "beat")
"""What may explain changes of the picture, beside pieces that don't meet."""

Figures = dict[str, Any]
Rows = Iterator[tuple[str, Callable[[], Figures]]]
"""What a part measures: the rows' names, and what measures each."""

Limits = dict[str, tuple[float, float]]

SONG_LIMITS: Limits = {
    "sync.lag_ms": (-1000 / float(RATE), 1000 / float(RATE)),
    "silence.motion_ratio": (0.0, 0.25),
    "response.loudness_to_motion": (0.4, 1.0),
    "shuffle": (0.25, math.inf),
    "ratios.saturation": (0.9, 1.1),
    "ratios.contrast": (0.9, 1.1),
    "ratios.flicker": (0.0, 1.3),
    "safety.pass": (1, 1),
}
RHYTHMIC: Limits = {"sync.effect": (0.15, 1.0), "sync.p": (0.0, 0.02)}
OTHERS: Limits = {"sync.p": (0.0, 0.05)}
DRIFT: Limits = {"ratio": (0.9, 1.1)}
SEAMS: Limits = {"p": (0.01, 1.0)}


@dataclass(frozen=True)
class Bench:
    """A preset to measure, how much of it, and where what is made on the way is kept."""

    given: argparse.Namespace
    preset: Preset
    work: Path

    @cached_property
    def options(self) -> RenderOptions:
        """Give what films are drawn with, here."""
        return RenderOptions(kernels="eager", device=self.given.device, workspace=self.work)

    @cached_property
    def networks(self) -> Networks:
        """Load the preset's networks."""
        return load_networks(self.preset.diffusion)

    @property
    def latent_rate(self) -> Fraction:
        """Give the model's own frame rate."""
        return Fraction(self.networks.model.spec.frame_rate)

    def hear(self, path: Path) -> Timeline:
        """Hear a song, or find what was heard."""
        return hear(path, start=None, end=None, allow_truncated=False, workspace=self.work)[0]

    def target(self, name: str) -> Path:
        """Say where a sound is written."""
        return make_folder(self.work / "songs") / f"{name}.wav"

    @cached_property
    def song(self) -> Path:
        """Where one song is needed: the one that is named, the first track, or one that is composed."""
        if self.given.song is not None:
            return Path(self.given.song)
        if self.given.music is not None:
            return Path(self.given.music) / TRACKS[0]
        path = self.target("composed")
        write_sound(path, compose(0, seconds=MINUTE_S).sound, ANALYSIS_SAMPLE_RATE)
        return path

    @cached_property
    def long_film(self) -> tuple[Observation, Timeline]:
        """A minute of the song's middle again and again, a picture for each latent frame, and what is heard.

        All minutes have the same music, so that only their place can tell them apart.
        """
        rate = probe_sound(self.song).sample_rate
        sound = np.concatenate(list(decode_sound(self.song)), axis=1)
        lasting, minutes = self.given.minute, self.given.minutes
        wanted, there = round(lasting * rate), sound.shape[1]
        first = max(0, (there - wanted) // 2)
        minute = sound[:, (first + np.arange(wanted)) % there]
        path = self.target(f"{self.song.stem}-{minutes}x{lasting:g}s")
        write_sound(path, np.clip(np.tile(minute, minutes), -1, 1), rate)
        timeline = self.hear(path)
        subject, song = PresetSubject(self.preset, self.options), ProbeSong(path.stem, timeline, path)
        return watched(subject, song, LONG_SIZE, self.latent_rate), timeline


def watched(subject: Subject, song: ProbeSong, size: Size, rate: Fraction) -> Observation:
    """Draw a whole song, and watch it."""
    quantiser, frames = Quantiser(size), range(song.timeline.frame_count(rate))
    pictures = subject.draw(song, frames, size=size, frame_rate=rate)
    return observe((quantiser.yuv420(p).numpy() for p in pictures), size=size, frame_rate=rate)


def missed(figures: Figures, limits: Limits) -> list[str]:
    """Name the figures that are beyond their limits; what can't be told is not."""
    values = {key: value_at(figures, key) for key in limits}
    return [k for k, v in values.items() if v is not None and not limits[k][0] <= v <= limits[k][1]]


# Songs ----------------------------------------------------------------------------------------------------


def songs(bench: Bench) -> Rows:
    """Measure every song that is long enough for the certificate's sync."""
    if bench.given.music is None:
        raise SystemExit("dreams.py: the part songs needs music; pass --music FOLDER")
    for path in music_in(bench.given.music):
        info = probe_sound(path)
        frames = sum(chunk.shape[1] for chunk in decode_sound(path, allow_truncated=True))
        if frames >= LEAST_SECONDS * info.sample_rate:
            yield path.stem, partial(measure_song, bench, path)


def spliced(bench: Bench, path: Path) -> tuple[ProbeSong, int]:
    """Take whole seconds of a song's middle, silence, and a little music; say how many the first are."""
    rate = probe_sound(path).sample_rate
    sound = np.concatenate(list(decode_sound(path, allow_truncated=True)), axis=1)
    seconds = min(bench.given.seconds, sound.shape[1] // rate)
    first = (sound.shape[1] - seconds * rate) // 2
    music = np.clip(sound[:, first : first + seconds * rate], -1, 1)
    faded = music.copy()
    ramp = np.linspace(1, 0, rate // 200, dtype=np.float32)
    faded[:, -len(ramp) :] *= ramp
    silence = np.zeros((len(music), SILENCE_S * rate), np.float32)
    target = bench.target(f"{path.stem}-{seconds}s")
    write_sound(target, np.concatenate([faded, silence, music[:, : AFTER_S * rate]], axis=1), rate)
    return ProbeSong(path.stem, bench.hear(target), target), seconds


def certified(subject: Subject, song: ProbeSong, seconds: int) -> Figures:
    """Give what a certificate says of the music, and of the silence what the whole film tells."""
    whole = watched(subject, song, SIZE, RATE)
    music = excerpt(song.timeline, 0, seconds * ANALYSIS_RATE)
    film = whole.until(Clock(RATE).frame_at(seconds))
    certificate = certify(film, music, film=subject.name, song=song.name, integrity={}).values
    silence = measure_response(whole, measure_picture(whole), song.timeline)["silence"]
    kept = ("sync", "response", "flicker", "coherence", "look", "safety")
    return {**{name: certificate[name] for name in kept}, "silence": silence}


def shuffle_gap(subject: Subject, song: ProbeSong, seconds: int) -> float | None:
    """Give the gap of `evaluate-generator`: the song's rows permuted in time, noise and style the same."""
    frames = spread(Clock(RATE).frame_at(seconds), SHUFFLED)
    own, changed = (
        subject.draw(one, frames, size=SIZE, frame_rate=RATE) for one in (song, song.altered(permuted(0)))
    )
    return relative_gap([frame.clone() for frame in own], changed)


def measure_song(bench: Bench, path: Path) -> Figures:
    song, seconds = spliced(bench, path)
    dream = PresetSubject(bench.preset, bench.options)
    figures = certified(dream, song, seconds)
    figures["shuffle"] = shuffle_gap(dream, song, seconds)
    teachers = {
        name: certified(PresetSubject(load_preset(name), bench.options), song, seconds)
        for name in bench.given.teachers
    }
    compared = {
        "saturation": "look.saturation",
        "contrast": "look.contrast",
        "flicker": "coherence.flicker_off_onsets",
    }
    figures["ratios"] = {name: ratio(figures, teachers, key) for name, key in compared.items()}
    limits = SONG_LIMITS | (RHYTHMIC if path.name in TRACKS else OTHERS)
    return {**figures, "teachers": teachers, "misses": missed(figures, limits)}


def ratio(figures: Figures, teachers: dict[str, Figures], key: str) -> float | None:
    """Give a figure over the mean of the teachers'."""
    own, theirs = value_at(figures, key), [value_at(one, key) for one in teachers.values()]
    known = [value for value in theirs if value is not None]
    mean = sum(known) / len(known) if known else 0.0
    return None if own is None or mean <= 0 else own / mean


# A long film ----------------------------------------------------------------------------------------------


def drift(bench: Bench) -> Rows:
    """Compare the minutes of a long film, which have the same music."""
    for name in ("saturation", "contrast", "motion"):
        yield name, partial(measure_drift, bench, name)


def measure_drift(bench: Bench, name: str) -> Figures:
    film, _ = bench.long_film
    course = look_courses(film, measure_picture(film), every_s=bench.given.minute)[name]
    others = np.abs(course[1:-1] / course[0] - 1) if course[0] > 0 else course[:0]
    figures: Figures = {
        "first": float(course[0]),
        "last": float(course[-1]),
        "ratio": last_over_first(course),
        "between": float(others.max()) if len(others) else None,
        "course": course.tolist(),
    }
    return {**figures, "misses": missed(figures, DRIFT)}


def seams(bench: Bench) -> Rows:
    """Test the borders of blocks, and the middles of blocks, where there can be no seam, as a control."""
    yield "borders of blocks", partial(measure_seams, bench, BLOCK, SEAMS)
    yield "middles of blocks", partial(measure_seams, bench, BLOCK // 2, {})


def measure_seams(bench: Bench, first: int, limits: Limits) -> Figures:
    film, timeline = bench.long_film
    heard = timeline.at_frames(film.frame_rate, HEARD, stop=film.frames)
    at = range(first, film.frames, BLOCK)
    figures = find_seams(film.motion, at, heard, reach=BLOCK // 2 - 1).to_json()
    return {**figures, "misses": missed(figures, limits)}
