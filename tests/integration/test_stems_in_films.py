"""Stems beside a song, and a tempo that is known: what analysis and films make of them."""

import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import synesthete
from synesthete.audio.columns import COLUMN_NAMES
from synesthete.audio.stems import STEM_COLUMNS
from synesthete.errors import ConfigError, InputError

SECONDS = 4.0
DRUMS = np.sin(2 * np.pi * 180 * np.arange(4410) / 44_100) * np.exp(-np.arange(4410) / 900)
HITS = (0.5, 1.5, 3.0)


def write_wav(path: Path, sound: np.ndarray) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(sound))
        file.setsampwidth(2)
        file.setframerate(44_100)
        file.writeframes(np.round(sound.T * 32_767).astype("<i2").tobytes())


def drums(seconds: float = SECONDS) -> np.ndarray:
    """Three hits, silence between them."""
    sound = np.zeros((1, round(seconds * 44_100)))
    for moment in HITS:
        start = round(moment * 44_100)
        sound[0, start : start + 4410] += 0.8 * DRUMS
    return sound


@pytest.fixture
def track(make_song: Callable[..., Path]) -> Path:
    return make_song(SECONDS)


@pytest.fixture
def stems(tmp_path: Path) -> Path:
    folder = tmp_path / "stems"
    folder.mkdir()
    write_wav(folder / "Drums.wav", drums())
    return folder


def entries(workspace: Path) -> set[str]:
    return {path.name for path in (workspace / "cache" / "timelines").iterdir()}


def test_stems_add_their_columns_and_change_no_other(track: Path, stems: Path, workspace: Path) -> None:
    write_wav(stems / "vocals.wav", np.repeat(0.5 * drums(), 2, axis=0))
    plain = synesthete.analyse(track, workspace=workspace)
    timeline = synesthete.analyse(track, stems=stems, workspace=workspace)
    added = tuple(f"{stem}.{column}" for stem in ("drums", "vocals") for column in STEM_COLUMNS)
    assert plain.names == COLUMN_NAMES
    assert timeline.names == COLUMN_NAMES + added
    np.testing.assert_array_equal(timeline.table[:, : len(COLUMN_NAMES)], plain.table)
    np.testing.assert_array_equal(timeline.spectrum, plain.spectrum)
    assert timeline.music == plain.music


def test_a_stem_s_columns_are_what_is_heard_in_it_alone(track: Path, stems: Path, workspace: Path) -> None:
    timeline = synesthete.analyse(track, stems=str(stems), workspace=workspace)
    alone = synesthete.analyse(stems / "Drums.wav", workspace=workspace)
    for column in STEM_COLUMNS:
        np.testing.assert_array_equal(timeline.column(f"drums.{column}"), alone.column(column))
    onset = timeline.column("drums.onset")
    strong = np.flatnonzero(onset > 0.3) / 100
    assert {min(HITS, key=lambda hit: abs(hit - moment)) for moment in strong} == set(HITS)
    assert all(min(abs(moment - hit) for hit in HITS) < 0.03 for moment in strong)


def test_part_of_a_song_takes_the_same_part_of_its_stems(track: Path, stems: Path, workspace: Path) -> None:
    part = synesthete.analyse(track, stems=stems, start=1, end="0:04", workspace=workspace)
    assert part.ticks == 300
    onset = part.column("drums.onset")
    for tick in (50, 200):
        assert onset[tick - 5 : tick + 5].max() > 0.3
        onset = np.where(np.abs(np.arange(300) - tick) < 10, 0, onset)
    assert onset.max() < 0.1


@pytest.mark.parametrize("seconds", [3.4, 5.0])
def test_a_stem_of_another_length_is_refused(
    seconds: float, track: Path, stems: Path, workspace: Path
) -> None:
    write_wav(stems / "Drums.wav", drums(seconds))
    with pytest.raises(InputError) as failure:
        synesthete.analyse(track, stems=stems, workspace=workspace)
    message = str(failure.value)
    assert message.startswith(f"the stem drums is {seconds:.2f} s long and its song 4.00 s; ")
    assert "\n" not in message
    assert failure.value.exit_status == 2
    assert entries(workspace) == set()


def test_a_folder_without_stems_is_refused(track: Path, tmp_path: Path, workspace: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "nowhere", track):
        with pytest.raises(InputError, match="stems"):
            synesthete.analyse(track, stems=folder, workspace=workspace)


def test_a_stem_that_is_no_sound_is_refused(track: Path, stems: Path, workspace: Path) -> None:
    (stems / "bass.wav").write_text("this is no sound")
    with pytest.raises(InputError, match=r"bass\.wav"):
        synesthete.analyse(track, stems=stems, workspace=workspace)
    assert entries(workspace) == set()


def test_each_tempo_and_each_set_of_stems_is_an_entry_of_its_own(
    track: Path, stems: Path, workspace: Path
) -> None:
    seen: set[str] = set()

    def analysed(**options: object) -> int:
        """Analyse, and give how many entries that has added."""
        synesthete.analyse(track, workspace=workspace, **options)
        now, before = entries(workspace), set(seen)
        seen.update(now)
        return len(now - before)

    assert analysed() == 1
    assert analysed(bpm=120) == 1
    assert analysed(bpm=60.5) == 1
    assert analysed(stems=stems) == 1
    assert analysed(stems=stems, bpm=120) == 1
    for options in ({}, {"bpm": 120.0}, {"bpm": 60.5}, {"stems": stems}, {"stems": stems, "bpm": 120}):
        assert analysed(**options) == 0, options
    # What counts is the sound, not where it lies or how its file is spelt.
    (stems / "Drums.wav").rename(stems / "drums.WAV")
    assert analysed(stems=stems) == 0
    write_wav(stems / "drums.WAV", 0.5 * drums())
    assert analysed(stems=stems) == 1
    write_wav(stems / "bass.wav", drums())
    assert analysed(stems=stems) == 1


def test_the_same_sound_as_another_stem_is_another_entry(track: Path, stems: Path, workspace: Path) -> None:
    synesthete.analyse(track, stems=stems, workspace=workspace)
    (stems / "Drums.wav").rename(stems / "vocals.wav")
    timeline = synesthete.analyse(track, stems=stems, workspace=workspace)
    assert "vocals.onset" in timeline.names
    assert "drums.onset" not in timeline.names
    assert len(entries(workspace)) == 2


@pytest.mark.parametrize("bpm", [49.9, 226, float("nan"), -120])
def test_a_tempo_out_of_range_is_refused(bpm: float, track: Path, workspace: Path) -> None:
    with pytest.raises(ConfigError, match="bpm"):
        synesthete.analyse(track, bpm=bpm, workspace=workspace)


def test_a_known_tempo_is_the_tempo_of_the_beats(make_song: Callable[..., Path], workspace: Path) -> None:
    for bpm in (60, 120):
        found = synesthete.analyse(make_song(10.0), bpm=bpm, workspace=workspace).music.tempo_bpm
        assert found == pytest.approx(bpm, rel=0.01)


def test_a_film_follows_a_stem_where_there_is_one(
    track: Path, stems: Path, tmp_path: Path, render: Callable[..., Any]
) -> None:
    look = tmp_path / "drummer.yaml"
    look.write_text(
        "summary: Light on every hit of the drums.\n"
        "control:\n"
        "  envelopes:\n"
        "    hit: {column: drums.onset}\n"
        "cppn:\n"
        "  surface:\n"
        "    exposure: {base: 0.2, hit: 2.0}\n"
    )
    refused = render(track, "--preset", look, "--end", "0.2", status=2)
    assert "pass --stems FOLDER" in refused.message
    render(track, "--preset", look, "--end", "0.2", "--stems", stems)
