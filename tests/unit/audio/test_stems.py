"""Stems: which files they are, and rows that fit their song."""

import os
import wave

import numpy as np
import pytest
import torch

from synesthete.audio.columns import COLUMN_NAMES, COLUMNS
from synesthete.audio.features import compute
from synesthete.audio.stem_rows import stem_rows
from synesthete.audio.stems import STEM_COLUMNS, STEM_NAMES, find_stems, stem_specs
from synesthete.clock import analysis_ticks
from synesthete.errors import InputError
from synesthete.media.decode import decode_sound
from synesthete.seeding import generator_for

RATE = 44_100


def noise(seconds, channels=2):
    shape = (channels, round(seconds * RATE))
    return generator_for(1, "test.stem").uniform(-0.5, 0.5, shape).astype(np.float32)


def write(path, sound):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(sound))
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.round(sound.T * 32_767).astype("<i2").tobytes())
    return path


def rows_of(sound, ticks, pieces=5):
    return np.concatenate(list(stem_rows("drums", np.array_split(sound, pieces, axis=1), ticks)))


class TestFiles:
    def test_names_match_whatever_their_case_and_ending(self, tmp_path):
        for name in ("Bass.flac", "OTHER.mp3", "drums.wav"):
            (tmp_path / name).write_bytes(b"sound")
        assert find_stems(tmp_path) == {
            "drums": tmp_path / "drums.wav",
            "bass": tmp_path / "Bass.flac",
            "other": tmp_path / "OTHER.mp3",
        }
        assert list(find_stems(tmp_path)) == ["drums", "bass", "other"]

    def test_folders_and_hidden_files_are_passed_over(self, tmp_path):
        (tmp_path / "vocals.ogg").write_bytes(b"sound")
        (tmp_path / "._vocals.ogg").write_bytes(b"what macOS leaves")
        (tmp_path / "drums").mkdir()
        (tmp_path / "drums" / "drums.wav").write_bytes(b"too deep")
        assert list(find_stems(tmp_path)) == ["vocals"]

    def test_other_names_are_refused_with_those_that_are_accepted(self, tmp_path):
        for name in ("drums.wav", "guitar.wav", "mix\n.wav"):
            (tmp_path / name).write_bytes(b"sound")
        with pytest.raises(InputError, match=r"'guitar.wav', 'mix\\n.wav' can't be a stem") as caught:
            find_stems(tmp_path)
        assert all(name in str(caught.value) for name in STEM_NAMES)
        assert "\n" not in str(caught.value)

    def test_a_crowd_of_other_files_is_counted(self, tmp_path):
        for index in range(9):
            (tmp_path / f"track {index}.wav").write_bytes(b"sound")
        with pytest.raises(InputError, match="and 6 more can't be a stem"):
            find_stems(tmp_path)

    def test_two_files_of_one_stem_are_refused(self, tmp_path):
        for name in ("Drums.wav", "drums.flac"):
            (tmp_path / name).write_bytes(b"sound")
        with pytest.raises(InputError, match=r"two stems drums, 'Drums.wav' and 'drums.flac'"):
            find_stems(tmp_path)

    def test_links_and_pipes_are_refused(self, tmp_path):
        folder = tmp_path / "stems"
        folder.mkdir()
        secret = tmp_path / "secret.wav"
        secret.write_bytes(b"sound")
        (folder / "drums.wav").symlink_to(secret)
        with pytest.raises(InputError, match="no regular file"):
            find_stems(folder)
        (folder / "drums.wav").unlink()
        os.mkfifo(folder / "drums.wav")
        with pytest.raises(InputError, match="no regular file"):
            find_stems(folder)

    def test_a_folder_without_stems_is_refused(self, tmp_path):
        with pytest.raises(InputError, match="there are no stems"):
            find_stems(tmp_path)
        (tmp_path / "file").write_bytes(b"no folder")
        for folder in (tmp_path / "missing", tmp_path / "file", tmp_path / "nul\0"):
            with pytest.raises(InputError, match="cannot read stems"):
                find_stems(folder)


class TestColumns:
    def test_each_stem_has_each_column_and_none_is_taken(self):
        names = [spec.name for spec in stem_specs()]
        assert names == [f"{stem}.{column}" for stem in STEM_NAMES for column in STEM_COLUMNS]
        assert not set(names) & set(COLUMN_NAMES)

    def test_they_go_to_frames_as_the_song_s_do(self):
        of_song = {spec.name: spec for spec in COLUMNS}
        for spec in stem_specs():
            original = of_song[spec.name.partition(".")[2]]
            assert (spec.kind, spec.unit, spec.high) == (original.kind, original.unit, original.high)
            assert spec.name.partition(".")[0] in spec.formula


class TestRows:
    def test_they_are_the_song_s_columns_of_the_stem(self, tmp_path):
        write(tmp_path / "drums.wav", noise(3.3))
        chunks = list(decode_sound(find_stems(tmp_path)["drums"]))
        rows = np.concatenate(list(stem_rows("drums", chunks, 330)))
        whole = compute(torch.from_numpy(np.concatenate(chunks, axis=1))[None])[0].numpy()
        np.testing.assert_array_equal(rows, whole[:, [COLUMN_NAMES.index(name) for name in STEM_COLUMNS]])

    def test_sizes_of_chunks_change_nothing(self):
        sound = noise(6.0)
        np.testing.assert_array_equal(rows_of(sound, 600, pieces=1), rows_of(sound, 600, pieces=60))

    @pytest.mark.parametrize("missing", [0.0, 0.004, 0.05, 0.1])
    def test_a_shorter_stem_ends_in_silence(self, missing):
        sound = noise(4.0 - missing)
        rows = rows_of(sound, 400)
        own = analysis_ticks(sound.shape[1])
        assert rows.shape == (400, len(STEM_COLUMNS))
        assert rows[: own - 3, 0].min() > 0.5
        assert np.all(rows[own:] == 0.0)

    @pytest.mark.parametrize("ticks", [390, 399, 256])
    def test_a_longer_stem_is_cut(self, ticks):
        sound = noise((ticks + 10) / 100)
        np.testing.assert_array_equal(rows_of(sound, ticks), rows_of(sound, ticks + 10)[:ticks])

    @pytest.mark.parametrize(
        ("seconds", "shown"), [(3.8, "3.80"), (4.2, "4.20"), (9.0, "9.00"), (0.0, "0.00")]
    )
    def test_another_length_is_refused_with_both(self, seconds, shown):
        with pytest.raises(InputError, match=f"the stem drums is {shown} s long and its song 4.00 s"):
            rows_of(noise(seconds), 400)

    def test_what_lies_beyond_the_song_is_counted_and_not_kept(self):
        kept = []
        chunks = (noise(1.0, channels=1) for _ in range(30))
        with pytest.raises(InputError, match=r"30.00 s long and its song 1.00 s"):
            kept.extend(stem_rows("bass", chunks, 100))
        assert sum(map(len, kept)) == 100
