import pickle
import shutil
import wave
from pathlib import Path

import numpy as np
import pytest

from conftest import music as tune
from synesthete.config.augment import AugmentConfig
from synesthete.errors import InputError, MediaError
from synesthete.media.decode import Resampler, decode_sound
from synesthete.training.music import Music, open_music, real_song

RATE = 44_100
AUDIO = Path(__file__).resolve().parents[3] / "album"
VARIED = AugmentConfig().model_dump()


def write_wav(path: Path, sound: np.ndarray, rate: int = RATE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as handle:
        handle.setnchannels(sound.shape[0])
        handle.setsampwidth(2)
        handle.setframerate(rate)
        handle.writeframes(np.rint(sound.T * 32_767).astype("<i2").tobytes())
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hold songs of 6, 3 and 2 s, in stereo, in mono and at another rate, and what is none."""
    folder = tmp_path_factory.mktemp("music")
    write_wav(folder / "b.wav", 0.5 * tune(6.0, seed=1))
    write_wav(folder / "below" / "mono.wav", 0.5 * tune(3.0, seed=2)[:1])
    write_wav(folder / "rate.wav", 0.5 * tune(2.0, seed=3)[:, : 2 * 22_050], 22_050)
    shutil.copy(folder / "b.wav", folder / "copy of b.wav")
    (folder / "cover.jpg").write_bytes(b"\xff\xd8\xff\xe0 no sound")
    (folder / "cut.wav").write_bytes((folder / "b.wav").read_bytes()[:200_000])
    write_wav(folder / "still.wav", np.zeros((2, 2 * RATE)))
    write_wav(folder / "blip.wav", 0.5 * tune(0.5))
    (folder / "empty.ogg").touch()
    (folder / ".hidden.wav").write_bytes((folder / "b.wav").read_bytes())
    return folder


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(scope="module")
def songs(folder: Path, workspace: Path) -> Music:
    return open_music(folder, workspace, warn=lambda line: None)


def test_what_can_be_used_is_found_once_and_the_rest_is_told_in_one_line(
    folder: Path, workspace: Path
) -> None:
    told: list[str] = []
    found = open_music(folder, workspace, warn=told.append)
    names = {file.name: file.samples for file in found.files}
    assert names == {"b.wav": 6 * RATE, "below/mono.wav": 3 * RATE, "rate.wav": 2 * RATE}
    assert [file.digest for file in found.files] == sorted(file.digest for file in found.files)
    (line,) = told
    assert line.startswith("5 of 9 files in")
    for part in (
        "1 damaged or cut off",
        "2 no sound that can be read",
        "1 shorter than 1 s",
        "1 silent",
    ):
        assert part in line


def test_repeating_decodes_nothing_and_says_the_same(
    folder: Path, workspace: Path, songs: Music, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise AssertionError(f"{path} is looked at again")

    monkeypatch.setattr("synesthete.training.music.probe_sound", refuse)
    told: list[str] = []
    again = open_music(folder, workspace, warn=told.append)
    assert again == songs
    assert len(told) == 1


def test_the_index_is_a_function_of_content(folder: Path, songs: Music, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    for number, name in enumerate(("rate.wav", "b.wav", "below/mono.wav")):
        shutil.copy(folder / name, other / f"{number}.wav")
    moved = open_music(other, tmp_path / "workspace")
    assert moved.digest == songs.digest
    for index in range(4):
        one = real_song(songs, 1, index, seconds=1.5, augment=VARIED)
        two = real_song(moved, 1, index, seconds=1.5, augment=VARIED)
        assert np.array_equal(one.sound, two.sound)


def test_a_changed_file_is_heard_again(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "music" / "a.wav", 0.5 * tune(2.0))
    before = open_music(path.parent, tmp_path)
    write_wav(path, 0.5 * tune(2.5, seed=4))
    after = open_music(path.parent, tmp_path)
    assert [file.samples for file in after.files] == [round(2.5 * RATE)]
    assert after.digest != before.digest


def test_decoded_samples_that_were_freed_are_made_again(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "music" / "a.wav", 0.5 * tune(2.0))
    found = open_music(path.parent, tmp_path)
    sound = real_song(found, 0, 0, seconds=1).sound
    (spool,) = (tmp_path / "cache" / "music").glob("*.s16")
    spool.unlink()
    with pytest.raises(MediaError, match="have gone"):
        real_song(found, 0, 0, seconds=1)
    assert np.array_equal(real_song(open_music(path.parent, tmp_path), 0, 0, seconds=1).sound, sound)


@pytest.mark.parametrize("name", ["b.wav", "below/mono.wav", "rate.wav"])
def test_an_excerpt_is_the_decoded_file_at_its_sample(folder: Path, songs: Music, name: str) -> None:
    chunks = list(decode_sound(folder / name))
    resampler = Resampler(22_050 if name == "rate.wav" else RATE, RATE, chunks[0].shape[0])
    whole = np.concatenate([*map(resampler.push, chunks), resampler.flush()], axis=1)
    found = 0
    for index in range(40):
        song = real_song(songs, 5, index, seconds=0.7)
        if song.facts["file"] != name:
            continue
        start = round(song.facts["start_s"] * RATE)
        expected = np.broadcast_to(whole[:, start : start + round(0.7 * RATE)], song.sound.shape)
        assert np.abs(song.sound - expected).max() < 1e-4
        found += 1
    assert found > 2


def test_real_codecs_too(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    shutil.copy(AUDIO / "jazz-vibe-ace.ogg", tmp_path / "music")
    found = open_music(tmp_path / "music", tmp_path)
    path = tmp_path / "music" / "jazz-vibe-ace.ogg"
    whole = np.concatenate(list(decode_sound(path)), axis=1)
    song = real_song(found, 0, 0, seconds=2)
    start = round(song.facts["start_s"] * RATE)
    assert np.abs(song.sound - whole[:, start : start + 2 * RATE]).max() < 1e-4


def test_files_are_chosen_by_length(songs: Music) -> None:
    names = [real_song(songs, 2, index, seconds=0.01).facts["file"] for index in range(600)]
    for name, share in (("b.wav", 6 / 11), ("below/mono.wav", 3 / 11), ("rate.wav", 2 / 11)):
        assert names.count(name) / 600 == pytest.approx(share, abs=0.06)


def test_an_excerpt_is_a_pure_function_and_survives_a_worker(songs: Music) -> None:
    copy = pickle.loads(pickle.dumps(songs))
    for index in range(5):
        one = real_song(songs, 9, index, seconds=1.0, augment=VARIED)
        two = real_song(copy, 9, index, seconds=1.0, augment=VARIED)
        assert np.array_equal(one.sound, two.sound)
        assert one.facts == two.facts
        assert one.sound.shape == (2, RATE)
        assert one.sound.dtype == np.float32
        assert np.abs(one.sound).max() <= 1
    assert not np.array_equal(
        real_song(songs, 9, 0, seconds=1.0).sound, real_song(songs, 10, 0, seconds=1.0).sound
    )


def test_a_short_file_is_followed_by_silence(songs: Music) -> None:
    for index in range(8):
        song = real_song(songs, 4, index, seconds=8.0)
        length = {"b.wav": 6, "below/mono.wav": 3, "rate.wav": 2}[song.facts["file"]] * RATE
        assert song.facts["start_s"] == 0
        assert song.sound[:, :length].any()
        assert not song.sound[:, length:].any()


def test_folders_without_music_are_refused_in_one_sentence(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="is no folder"):
        open_music(tmp_path / "none", tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(MediaError, match=r"no music in .* \(no files\)"):
        open_music(tmp_path / "empty", tmp_path)
    shutil.copy(folder / "cover.jpg", tmp_path / "empty")
    with pytest.raises(MediaError, match="1 no sound that can be read"):
        open_music(tmp_path / "empty", tmp_path)


def test_an_excerpt_needs_a_length(songs: Music) -> None:
    with pytest.raises(InputError, match="holds no sample"):
        real_song(songs, 0, 0, seconds=0)
