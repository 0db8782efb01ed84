"""The check film: clicks on the beats' samples, flashes in the nearest frames, both in the written file."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from scipy import signal

from synesthete.audio.music import Music, Section
from synesthete.config.analyse import AnalyseOptions
from synesthete.errors import OutputError
from synesthete.media.decode import decode_sound
from synesthete.media.mux import film_facts, iterate_frames
from synesthete.render.check_film import add_clicks, write_check_film
from synesthete.render.check_picture import CHECK_RATE, DOT, flashes
from synesthete.render.hearing_report import HearingReport, report_hearing

BEATS = (0.0, 0.4871, 0.7333, 1.2166, 1.8005, 2.4321)
MUSIC = Music(
    beats=BEATS,
    downbeats=(0.4871, 1.8005),
    tempo_bpm=120.0,
    sections=(Section(0.0, 1.0, "A"), Section(1.0, 2.5, "B")),
)


@pytest.fixture
def report(song: Path, workspace: Path) -> HearingReport:
    heard = report_hearing(song, AnalyseOptions(workspace=workspace))
    return replace(heard, timeline=replace(heard.timeline, music=MUSIC))


def click_at(sound: np.ndarray, rate: int, beat: float, hertz: float) -> int:
    """Find a decaying tone around a beat by cross-correlation: its first sample less the beat's."""
    time_s = np.arange(round(0.02 * rate)) / rate
    click = np.sin(2 * np.pi * hertz * time_s) * np.exp(-time_s / 0.008)
    first = max(0, round((beat - 0.02) * rate))
    around = sound[first : first + round(0.06 * rate)]
    likeness = signal.correlate(around, click, mode="valid")
    return first + int(likeness.argmax()) - round(beat * rate)


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100])
@pytest.mark.parametrize("length", [1_000, 65_536])
def test_clicks_begin_at_the_beats_whatever_the_chunks(rate: int, length: int) -> None:
    silence = np.zeros((2, round(2.5 * rate)), np.float32)
    chunks = [silence[:, k : k + length] for k in range(0, silence.shape[1], length)]
    clicked = np.concatenate(list(add_clicks(iter(chunks), MUSIC, rate)), axis=1)
    assert clicked.shape == silence.shape
    loud = np.abs(clicked).max(axis=0) > 1e-3
    for beat in BEATS:
        place = round(beat * rate)
        assert not loud[max(0, place - 50) : place].any()
        assert loud[place + 1]
    assert np.abs(clicked).max() <= 0.5


def test_downbeats_click_higher() -> None:
    (clicked,) = add_clicks(iter([np.zeros((1, 110_250), np.float32)]), MUSIC, 44_100)
    pitches = []
    for beat in BEATS[:-1]:
        part = clicked[0, round(beat * 44_100) :][:1_764]
        pitches.append(np.abs(np.fft.rfft(part, 44_100)).argmax())
    assert pitches == pytest.approx([1_000, 2_000, 1_000, 1_000, 2_000], abs=30)


def test_the_song_is_kept_at_half_its_level() -> None:
    sound = np.random.default_rng(0).uniform(-1, 1, (1, 5_000)).astype(np.float32)
    (clicked,) = add_clicks(iter([sound]), Music(), 44_100)
    np.testing.assert_array_equal(clicked, sound / 2)


def test_a_beat_lights_the_nearest_frame() -> None:
    half = 1 / 60
    music = Music(beats=(0.0, 1.0, 2 - half + 1e-9, 3 - half - 1e-6, 3.99), downbeats=(1.0,))
    frames, bars = flashes(music, 119)
    assert frames.tolist() == [0, 30, 60, 89, 118]  # the last beat's would be frame 120
    assert bars.tolist() == [False, True, False, False, False]


def test_no_beats_light_nothing() -> None:
    frames, bars = flashes(Music(), 10)
    assert (len(frames), len(bars)) == (0, 0)


def test_the_film_clicks_and_flashes_on_the_beats(
    report: HearingReport, tmp_path: Path, workspace: Path
) -> None:
    film = tmp_path / "films" / "check.mp4"
    write_check_film(film, report, workspace=workspace, allow_truncated=False)
    facts = film_facts(film)
    assert (facts.frames, facts.width, facts.height, facts.frame_rate) == (75, 640, 360, 30)
    assert facts.sound_samples == report.song.samples
    assert list(film.parent.iterdir()) == [film]
    assert [path.name for path in (workspace / "cache").iterdir()] == ["timelines"]

    (sound,) = np.concatenate(list(decode_sound(film)), axis=1)[:1]
    for beat in BEATS[1:]:
        hertz = 2_000 if beat in MUSIC.downbeats else 1_000
        assert abs(click_at(sound, 44_100, beat, hertz)) <= 44  # 1 ms

    light = [frame[DOT[1], DOT[0]].astype(int).sum() for frame in iterate_frames(film)]
    dark = min(light)
    lit = [k for k in range(75) if light[k] > dark + 150 and (k == 0 or light[k] > light[k - 1] + 60)]
    expected, _ = flashes(MUSIC, 75)
    assert lit == expected.tolist()
    assert [
        float(abs(Fraction(frame) / CHECK_RATE - Fraction(beat))) <= 1 / 60
        for frame, beat in zip(lit[:-1], BEATS[:-1], strict=True)
    ] == [True] * 5


def test_downbeats_are_larger_and_of_another_colour(
    report: HearingReport, tmp_path: Path, workspace: Path
) -> None:
    film = tmp_path / "check.mp4"
    write_check_film(film, report, workspace=workspace, allow_truncated=False)
    pictures = list(iterate_frames(film))
    beat, downbeat = pictures[0].astype(int), pictures[15].astype(int)
    rim = (DOT[1], DOT[0] + 33)
    assert downbeat[rim].sum() > beat[rim].sum() + 200
    middle = (DOT[1], DOT[0])
    assert downbeat[middle][0] > downbeat[middle][2] + 60  # warm
    assert beat[middle][2] > beat[middle][0] + 60  # cold


@pytest.mark.parametrize("music", [Music(), MUSIC])
def test_the_shortest_sound_has_a_film(
    make_song: Callable[..., Path], tmp_path: Path, workspace: Path, music: Music
) -> None:
    heard = report_hearing(make_song(0.3), AnalyseOptions(workspace=workspace))
    kept = replace(music, beats=music.beats[:1], downbeats=())
    heard = replace(heard, timeline=replace(heard.timeline, music=kept))
    write_check_film(tmp_path / "check.mp4", heard, workspace=workspace, allow_truncated=False)
    assert film_facts(tmp_path / "check.mp4").frames == 9


def test_a_failure_leaves_nothing(report: HearingReport, tmp_path: Path, workspace: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        write_check_film(tmp_path / "file" / "check.mp4", report, workspace=workspace, allow_truncated=False)
    assert [path.name for path in (workspace / "cache").iterdir()] == ["timelines"]
