"""WAV and FLAC files are what was to be written."""

from pathlib import Path

import numpy as np
import pytest

from synesthete.errors import InputError, OutputError
from synesthete.media.decode import decode_sound
from synesthete.media.probe import probe_sound
from synesthete.media.sound_file import write_sound


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
@pytest.mark.parametrize("channels", [1, 2])
def test_files_hold_every_sample_to_24_bits(tmp_path: Path, suffix: str, channels: int) -> None:
    rng = np.random.default_rng(1)
    sound = np.clip(rng.normal(0, 0.4, (channels, 100_001)), -1.2, 1.2).astype(np.float32)
    sound[:, 30_000:40_000] = 0
    path = tmp_path / f"song{suffix}"
    write_sound(path, sound, 44_100)
    info = probe_sound(path)
    assert (info.sample_rate, info.channels) == (44_100, channels)
    back = np.concatenate(list(decode_sound(path)), axis=1)
    assert back.shape == sound.shape
    assert np.abs(back - np.clip(sound, -1, 1)).max() <= 2**-22
    assert not back[:, 30_000:40_000].any()
    assert list(tmp_path.iterdir()) == [path]


def test_the_same_sound_is_the_same_file(tmp_path: Path) -> None:
    sound = np.random.default_rng(2).uniform(-1, 1, (2, 5000)).astype(np.float32)
    for name in ("one.flac", "two.flac"):
        write_sound(tmp_path / name, sound, 48_000)
    assert (tmp_path / "one.flac").read_bytes() == (tmp_path / "two.flac").read_bytes()


def test_what_cannot_be_written_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    sound = np.zeros((2, 10), np.float32)
    with pytest.raises(OutputError, match=r"does not end in \.wav or \.flac"):
        write_sound(tmp_path / "song.mp3", sound, 44_100)
    with pytest.raises(InputError, match="one or two channels"):
        write_sound(tmp_path / "song.wav", np.zeros((3, 10), np.float32), 44_100)
    with pytest.raises(InputError, match="one or two channels"):
        write_sound(tmp_path / "song.wav", np.zeros((2, 0), np.float32), 44_100)
    assert list(tmp_path.iterdir()) == []
