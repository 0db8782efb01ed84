"""The songs of the training data: composed or recorded, then heard; the last ones are kept."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import torch
from jaxtyping import Float32

from synesthete.audio.analysis import analyse_songs
from synesthete.audio.compose import compose
from synesthete.audio.embeddings import Embedder, Embeddings
from synesthete.audio.timeline import Timeline
from synesthete.config.control import Control
from synesthete.config.data import DataConfig
from synesthete.generators.control import Signals, build_signals
from synesthete.seeding import generator_for
from synesthete.training.music import Music, real_song

__all__ = ["Song", "SongSource", "Songs"]

_KEPT = 8
_MOST_SEED = 2**62


@dataclass(frozen=True, eq=False)
class Song:
    """A song, and all that is heard in it.

    Attributes
    ----------
    number
        Its number.
    sound
        Stereo at 44.1 kHz, full scale ±1.
    timeline, signals
        What was heard, and the house's signals made of it.
    facts
        Plain values: ``{"truth": …}`` of a composed song (`synesthete.audio.compose.Truth.to_json`),
        ``{"real": …}`` of a recorded one (where it is from).
    embeddings
        What the network of the data's ``embedding`` makes of the song.
    """

    number: int
    sound: Float32[np.ndarray, "2 samples"]
    timeline: Timeline
    signals: Signals
    facts: dict[str, Any]
    embeddings: Embeddings | None = None


class SongSource(Protocol):
    """Gives songs by number."""

    def several(self, numbers: Iterable[int]) -> list[Song]:
        """Give songs."""


class Songs:
    """Makes songs by number, and keeps the last.

    Parameters
    ----------
    config
        The data.
    music
        The opened folder of recorded music, if some is mixed in.
    device
        Where sound is measured.
    embedder
        The opened network of ``config.embedding``, if there is one.

    Raises
    ------
    ValueError
        If recorded music is to be mixed in and there is none, or embeddings are asked for and there is no
        network of their kind and size.
    """

    def __init__(
        self,
        config: DataConfig,
        music: Music | None = None,
        *,
        device: torch.device | str = "cpu",
        embedder: Embedder | None = None,
    ) -> None:
        if config.real_mix_prob > 0 and music is None:
            raise ValueError("recorded music is to be mixed in: open config.music_dir with open_music")
        if config.embedding != "none" and (
            embedder is None or (embedder.kind, embedder.size) != (config.embedding, config.embedding_size)
        ):
            raise ValueError("embeddings are asked for: open config.embedding_dir with open_embedder")
        self._embedder = None if config.embedding == "none" else embedder
        self._config = config
        self._music = music
        self._device = device
        self._kept: OrderedDict[int, Song] = OrderedDict()

    def song(self, number: int) -> Song:
        """Give one song."""
        return self.several([number])[0]

    def several(self, numbers: Iterable[int]) -> list[Song]:
        """Give songs; those that are not kept are heard together."""
        wanted = list(numbers)
        missing = sorted(set(wanted) - set(self._kept))
        found = {number: self._kept[number] for number in wanted if number in self._kept}
        found |= {song.number: song for song in self._make(missing)} if missing else {}
        for number in wanted:
            self._kept[number] = found[number]
            self._kept.move_to_end(number)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return [found[number] for number in wanted]

    def altered(self, change: Callable[[Song], Timeline]) -> SongSource:
        """Give the same songs, heard otherwise.

        Parameters
        ----------
        change
            From a song to a Timeline of the same length, for instance without a band.
        """
        return _Altered(self, change)

    def reheard(self, song: Song, timeline: Timeline) -> Song:
        """Give a song with another Timeline, and with the signals and embeddings that follow from it."""
        return replace(
            song,
            timeline=timeline,
            signals=self._signals(song.number, timeline),
            embeddings=self._embeddings(timeline),
        )

    def _make(self, numbers: list[int]) -> list[Song]:
        sounds, facts = zip(*(self._sound(number) for number in numbers), strict=True)
        timelines = analyse_songs(torch.from_numpy(np.stack(sounds)).to(self._device))
        return [
            Song(number, sound, timeline, self._signals(number, timeline), fact, self._embeddings(timeline))
            for number, sound, timeline, fact in zip(numbers, sounds, timelines, facts, strict=True)
        ]

    def _embeddings(self, timeline: Timeline) -> Embeddings | None:
        return None if self._embedder is None else self._embedder.hear(timeline, device=self._device)

    def _sound(self, number: int) -> tuple[Float32[np.ndarray, "2 samples"], dict[str, Any]]:
        config = self._config
        recorded = generator_for(config.seed, "data.real", number).random() < config.real_mix_prob
        if recorded and self._music is not None:
            real = real_song(
                self._music,
                config.seed,
                number,
                seconds=config.song_seconds,
                augment=config.augment.model_dump(),
            )
            return real.sound, {"real": real.facts}
        composed = compose(
            config.seed,
            number,
            seconds=config.song_seconds,
            silence_mix_prob=config.audio_silence_mix_prob,
        )
        return composed.sound, {"truth": composed.truth.to_json()}

    def _signals(self, number: int, timeline: Timeline) -> Signals:
        seed = int(generator_for(self._config.seed, "data.signals", number).integers(_MOST_SEED))
        return build_signals(timeline, _house(), frame_rate=self._config.rate, seed=seed)


class _Altered:
    """Songs whose music was changed."""

    def __init__(self, songs: Songs, change: Callable[[Song], Timeline]) -> None:
        self._songs, self._change = songs, change

    def several(self, numbers: Iterable[int]) -> list[Song]:
        wanted = list(numbers)
        known = {song.number: song for song in self._songs.several(wanted)}
        heard = {number: self._songs.reheard(song, self._change(song)) for number, song in known.items()}
        return [heard[number] for number in wanted]


@lru_cache(maxsize=1)
def _house() -> Control:
    return Control()
