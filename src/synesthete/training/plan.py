"""Which clip an item is: its song, moment, program and shape; and which batches a process makes.

All of it is cheap, and a pure function of the configuration and a number. Items ``2k`` and ``2k + 1`` are a
pair: two moments of one song in one program, each of which shows the other's style.
"""

import math
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate, count
from typing import NamedTuple

import numpy as np

from synesthete.config.data import BUCKETS, Bucket, DataConfig, share_at
from synesthete.programs.sample import sample_style
from synesthete.seeding import generator_for
from synesthete.training.reactive import REACTIVE

__all__ = ["ClipPlan", "batches_of", "bucket_of", "partner_of", "plan_clip"]


class ClipPlan(NamedTuple):
    """What an item is made from.

    Attributes
    ----------
    number
        The item's number.
    song
        Number of its song.
    first_frame
        Where in the song the clip begins, frames.
    bucket
        Its shape: that of its whole batch.
    program
        Number in the catalogue; -1 and downward: the reactive programs, in order.
    """

    number: int
    song: int
    first_frame: int
    bucket: Bucket
    program: int

    @property
    def pair(self) -> int:
        """Give the number of its pair."""
        return self.number // 2


def plan_clip(config: DataConfig, number: int) -> ClipPlan:
    """Say what an item is made from.

    Parameters
    ----------
    number
        The item's number, 0 and upward.
    """
    song, place = _song_and_place(config, number)
    batch = number // config.batch_size
    draws = generator_for(config.seed, "data.program", number // 2)
    reactive = config.audio_debug_mode or draws.random() < share_at(config.audio_debug_mix_prob, batch)
    if reactive:
        program = -1 - int(draws.integers(len(REACTIVE)))
    else:
        program = _catalogue_number(config, draws.random())
    return ClipPlan(number, song, _first_frame(config, song, place), bucket_of(config, batch), program)


def partner_of(number: int) -> int:
    """Give the other item of a pair."""
    return number ^ 1


def bucket_of(config: DataConfig, batch: int) -> Bucket:
    """Give the shape of a batch's pictures."""
    names = [name for name in BUCKETS if name in config.buckets]
    ends = list(accumulate(config.buckets[name] for name in names))
    place = generator_for(config.seed, "data.bucket", batch).random() * ends[-1]
    return next((name for name, end in zip(names, ends, strict=True) if place < end), names[-1])


def batches_of(
    first: int, *, rank: int = 0, ranks: int = 1, worker: int = 0, workers: int = 1
) -> Iterator[int]:
    """Give the numbers of the batches that one worker of one rank makes, without end.

    A loader asks its workers in turn: so rank ``r`` of ``R`` is given the batches ``first + r``,
    ``first + r + R``, … in this order, whatever the number of workers.

    Parameters
    ----------
    first
        The first batch that was not trained on yet, of all ranks.
    """
    return count(first + rank + worker * ranks, ranks * workers)


def _song_and_place(config: DataConfig, number: int) -> tuple[int, int]:
    """Give an item's song, and which of the song's clips it is: pairs take songs by turns."""
    songs = config.songs_at_once
    block, inside = divmod(number, songs * config.clips_per_song)
    turn, song = divmod(inside // 2, songs)
    return block * songs + song, 2 * turn + number % 2


def _first_frame(config: DataConfig, song: int, place: int) -> int:
    """Give the moment of a clip: one in each of as many equal stretches, in any order."""
    draws = generator_for(config.seed, "data.moments", song)
    clips = config.clips_per_song
    stretch = int(draws.permutation(clips)[place])
    within = float(draws.random(clips)[place])
    first = math.ceil(config.before_s * config.frame_rate)
    last = math.floor(config.song_seconds * config.frame_rate) - config.clip_frames - config.context_frames
    return first + int((stretch + within) / clips * (last - first + 1))


def _catalogue_number(config: DataConfig, place: float) -> int:
    if config.style_scale == 1.0:
        return config.first_program + int(place * config.programs)
    ends = _weights(config.first_program, config.programs, config.style_scale)
    return config.first_program + min(int(np.searchsorted(ends, place, side="right")), config.programs - 1)


@lru_cache(maxsize=4)
def _weights(first: int, count: int, scale: float) -> np.ndarray:
    """Weigh programs so that their styles spread as a normal distribution of that scale; cumulative, to 1."""
    styles = np.array([sample_style(number) for number in range(first, first + count)])
    # The density of N(0, s²) over that of N(0, 1), from which they were drawn.
    logs = -0.5 * (styles**2).sum(axis=1) * (1.0 / scale**2 - 1.0)
    ends = np.cumsum(np.exp(logs - logs.max()))
    return np.asarray(ends / ends[-1])
