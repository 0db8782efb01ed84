"""Songs of the training data: the same by number, in whatever company."""

import numpy as np
import torch

from conftest import music
from synesthete.audio.analysis import analyse_songs, analyse_stream
from synesthete.config.data import DataConfig
from synesthete.evaluation.music_changes import silenced
from synesthete.training.songs import Songs

CONFIG = DataConfig(song_seconds=4, clip_frames=2, clips_per_song=2)


def test_songs_that_are_heard_together_are_heard_as_those_on_disk_are(tmp_path) -> None:  # type: ignore[no-untyped-def]
    sounds = np.stack([music(3.1, seed=seed) for seed in (0, 1)])
    together = analyse_songs(torch.from_numpy(sounds))

    for sound, timeline in zip(sounds, together, strict=True):
        assert timeline.digest() == analyse_stream([sound], tmp_path).digest()


def test_a_song_is_the_same_alone_and_with_others() -> None:
    songs = Songs(CONFIG)
    first, second = songs.several([3, 4])
    alone = Songs(CONFIG).song(4)

    assert alone.timeline.digest() == second.timeline.digest() != first.timeline.digest()
    assert alone.facts == second.facts
    assert all(np.array_equal(alone.signals.ticks[k], second.signals.ticks[k]) for k in alone.signals.ticks)
    assert songs.song(4) is second


def test_silence_comes_as_often_as_it_is_asked_for() -> None:
    never, always = (
        [Songs(CONFIG.model_copy(update={"audio_silence_mix_prob": share})).song(k) for k in range(4)]
        for share in (0.0, 1.0)
    )

    assert not any(song.facts["truth"]["silences"] for song in never)
    for song in always:
        ((start, stop),) = song.facts["truth"]["silences"][:1]
        inside = song.timeline.column("silence")[round(100 * start) + 20 : round(100 * stop) - 20]
        assert inside.mean() > 0.8


def test_an_altered_song_is_heard_anew_and_the_unaltered_one_stays() -> None:
    songs = Songs(CONFIG)
    own = songs.song(1)
    (again, other) = songs.altered(lambda song: silenced().timeline(song.timeline)).several([1, 2])

    assert (again.number, other.number) == (1, 2)
    assert again.sound is own.sound
    assert own.signals.ticks["energy"].max() > 0.1
    assert again.signals.ticks["energy"].max() == 0.0
    assert songs.song(1) is own
