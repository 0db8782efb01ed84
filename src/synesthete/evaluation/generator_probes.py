"""Probe a generator: whether it listens, how much it flickers, what styles it has, and how fast it is.

A model that ignores its music can look good. So every probe changes one thing, the music, and measures what
that does to the frames, with the same noise and the same style.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor

from synesthete.audio.columns import BANDS
from synesthete.audio.timeline import Timeline
from synesthete.clock import ANALYSIS_RATE, Clock
from synesthete.evaluation.coherence import measure_coherence
from synesthete.evaluation.music_changes import band_edges_hz, excerpt, muted_band, permuted, silenced
from synesthete.evaluation.observe import Observation, observe
from synesthete.evaluation.style_probes import probe_styles
from synesthete.evaluation.subjects import ProbeSettings, ProbeSong, Subject, spread
from synesthete.evaluation.thumbnails import Thumbnails, look_distance, nearest_references, thumbnails
from synesthete.generators.quantise import Quantiser

__all__ = ["PUBLISHED_SHUFFLE_GAP", "ProbeResult", "SyncProbe", "probe_subject", "relative_gap"]

PUBLISHED_SHUFFLE_GAP: Final = 0.069
"""The original project's best shuffle gap, after 33 epochs: what later ones are compared with."""

SyncProbe = Callable[[Observation, Timeline], Mapping[str, Any]]
"""Measures sync: what was seen of a film, and the Timeline of exactly its music."""

_PERMUTATION_SEED: Final = 0
_PICTURES: Final = 12
_ENDS: Final = 4  # the first and the last quarter are compared for drift
_DIGITS: Final = 5

Frames = Iterable[Float32[Tensor, "3 height width"]]


@dataclass(frozen=True, eq=False)
class ProbeResult:
    """What was found out about one Subject.

    Attributes
    ----------
    figures
        Ready for JSON; what each is stands in `probe_subject`.
    pictures
        A dozen frames of it on the unaltered song, for its contact sheet.
    """

    figures: Mapping[str, Any]
    pictures: Sequence[UInt8[np.ndarray, "height width 3"]]


def relative_gap(a: Frames, b: Frames) -> float | None:
    r"""Measure how much frames differ from others: :math:`\overline{|a-b|} / \overline{|a|}`.

    Parameters
    ----------
    a, b
        As many frames of one size each, 0-1. Means are taken over all of them.

    Returns
    -------
    0 where they are the same; None where ``a`` is black and nothing can be told.
    """
    gap = level = 0.0
    for one, other in zip(a, b, strict=True):
        gap += float((one - other).abs().double().mean())
        level += float(one.abs().double().mean())
    return gap / level if level > 0 else None


def probe_subject(
    subject: Subject,
    song: ProbeSong,
    other_song: ProbeSong,
    *,
    settings: ProbeSettings | None = None,
    sync: SyncProbe | None = None,
    references: Thumbnails | None = None,
    on_step: Callable[[str], None] = lambda step: None,
) -> ProbeResult:
    r"""Probe one Subject.

    The gaps are `relative_gap` between frames on the song and the same frames on changed music, spread over
    the song; noise and style are the same.

    - ``shuffle.gap``: the song's rows permuted in time, the original project's definition (its best value:
      0.069). Rows are permuted at the 100 Hz of the Timeline.
    - ``other_song.gap``: another song instead; over the frames that both have.
    - ``silence.gap``: digital silence instead.
    - ``unrelated.gap``: no change at all, but each frame against the one half the song away. A gap of this
      size says that nothing of the frame is left, not how much of it the music decides.
    - ``bands.band_k``: one of the eight bands muted; see `synesthete.evaluation.music_changes.muted_band`.
    - ``flicker``, ``stability``: of a film of the middle of the song; see
      `synesthete.evaluation.coherence.CoherenceReport`.
    - ``drift``: distance in OKLab between the mean looks of the first and the last quarter of the song.
    - ``speed.ms_per_frame``: wall clock, of frames that follow one another, after a first one.
    - ``sync``: what the callable says of that same film.
    - ``style``: see `synesthete.evaluation.style_probes.probe_styles`.
    - ``neighbours``: see `synesthete.evaluation.thumbnails.nearest_references`.

    Parameters
    ----------
    song
        What is drawn; over 20 s, if sync is to be told.
    other_song
        Music that is as different as possible.
    sync
        Measures sync; without it, ``sync`` is None.
    references
        Pictures that the Subject may have copied, from
        `synesthete.evaluation.thumbnails.load_references`; without them, ``neighbours`` is None.
    on_step
        Called with a word on what is probed next.

    Raises
    ------
    InputError
        If a scope is to draw a song whose sound is not known, or a signal's column is missing.
    """
    probe = _Probe(subject, song, settings or ProbeSettings())
    on_step("gaps")
    own = probe.frames_of(song, probe.moments(song))
    looks = thumbnails(own)
    gaps = {
        "shuffle": {
            "gap": probe.gap(own, song.altered(permuted(_PERMUTATION_SEED))),
            "published": PUBLISHED_SHUFFLE_GAP,
        },
        "other_song": {"gap": probe.gap(own, other_song)},
        "silence": {"gap": probe.gap(own, song.altered(silenced()))},
        "unrelated": {"gap": relative_gap(own, own[len(own) // 2 :] + own[: len(own) // 2])},
        "bands": {f"band_{band}": probe.gap(own, song.altered(muted_band(band))) for band in range(BANDS)},
        "bands_hz": [[round(edge, 1) for edge in band_edges_hz(band)] for band in range(BANDS)],
    }
    on_step("film")
    observation, heard = probe.film()
    coherence = measure_coherence(observation, heard)
    film = {
        "flicker": coherence.flicker,
        "stability": coherence.stability,
        "drift": _drift(looks),
        "sync": None if sync is None else dict(sync(observation, heard)),
    }
    on_step("speed")
    speed = probe.speed()
    style, drawn = probe_styles(subject, song, other_song, settings=probe.settings, on_step=on_step)
    neighbours = None
    if references is not None:
        neighbours = nearest_references(np.concatenate([looks, drawn]), references)
    figures = {
        "subject": subject.name,
        "kind": subject.kind,
        "song": song.name,
        "other_song_name": other_song.name,
        "frames": len(own),
        "size": str(probe.settings.size),
        **gaps,
        **film,
        "speed": speed,
        "style": style,
        "neighbours": neighbours,
    }
    quantiser = Quantiser(probe.settings.size)
    pictures = [quantiser.rgb8(own[frame]).numpy() for frame in spread(len(own), _PICTURES)]
    return ProbeResult(_rounded(figures), pictures)


@dataclass(frozen=True)
class _Probe:
    """Draws one Subject on one song for the probes."""

    subject: Subject
    song: ProbeSong
    settings: ProbeSettings

    def count(self, song: ProbeSong) -> int:
        return song.timeline.frame_count(self.settings.frame_rate)

    def moments(self, song: ProbeSong) -> list[int]:
        """Choose the frames that are compared: those that the song has, too, spread over what both have."""
        return spread(min(self.count(self.song), self.count(song)), self.settings.frames)

    def draw(self, song: ProbeSong, frames: Sequence[int]) -> Iterator[Float32[Tensor, "3 height width"]]:
        settings = self.settings
        return self.subject.draw(
            song, frames, size=settings.size, frame_rate=settings.frame_rate, seed=settings.seed
        )

    def frames_of(self, song: ProbeSong, frames: Sequence[int]) -> list[Float32[Tensor, "3 height width"]]:
        return [frame.clone() for frame in self.draw(song, frames)]

    def gap(self, own: list[Float32[Tensor, "3 height width"]], changed: ProbeSong) -> float | None:
        """Give the gap between the song and changed music, which may be shorter."""
        frames = self.moments(changed)
        if frames != self.moments(self.song):
            own = self.frames_of(self.song, frames)
        return relative_gap(own, self.draw(changed, frames))

    def film(self) -> tuple[Observation, Timeline]:
        """Watch a film of the middle of the song; give what was seen, and the Timeline of its music."""
        settings, rate = self.settings, self.settings.frame_rate
        clock, count = Clock(rate), self.count(self.song)
        wanted = min(count, clock.frame_at(settings.film_s))
        # From a whole second on, where frames and analysis rows meet.
        first = clock.frame_at(int(clock.seconds((count - wanted) // 2)))
        size = settings.film_size
        quantiser = Quantiser(size)
        frames = self.subject.draw(
            self.song, range(first, first + wanted), size=size, frame_rate=rate, seed=settings.seed
        )
        observation = observe(
            (quantiser.yuv420(frame).numpy() for frame in frames), size=size, frame_rate=rate
        )
        start = round(clock.seconds(first) * ANALYSIS_RATE)
        stop = math.ceil(clock.seconds(first + wanted) * ANALYSIS_RATE)
        return observation, excerpt(self.song.timeline, start, min(stop, self.song.timeline.ticks))

    def speed(self) -> dict[str, Any]:
        """Time frames that follow one another; a first one is drawn before, to plan and to warm up."""
        settings = self.settings
        frames = range(min(self.count(self.song), settings.speed_frames))

        def draw(these: Sequence[int]) -> None:
            drawn = self.subject.draw(
                self.song,
                these,
                size=settings.speed_size,
                frame_rate=settings.frame_rate,
                seed=settings.seed,
            )
            for _ in drawn:
                pass

        draw(frames[:1])
        started = time.perf_counter()
        draw(frames)
        seconds = time.perf_counter() - started
        return {
            "ms_per_frame": 1000 * seconds / len(frames),
            "size": str(settings.speed_size),
            "threads": torch.get_num_threads(),
        }


def _drift(looks: Thumbnails) -> float:
    share = max(1, len(looks) // _ENDS)
    return look_distance(looks[:share].mean(axis=0), looks[-share:].mean(axis=0))


def _rounded(value: Any) -> Any:
    """Round all numbers of a nested value; what is not finite becomes None."""
    if isinstance(value, Mapping):
        return {name: _rounded(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    if isinstance(value, float):
        return round(value, _DIGITS) if np.isfinite(value) else None
    return value
