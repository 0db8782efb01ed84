"""A film that is whole passes, and every fault is found, measured and named."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from made_clips import clip_pictures, clip_sound, write_clip, write_wav
from synesthete.clock import Clock
from synesthete.errors import MediaError
from synesthete.evaluation.integrity import IntegrityReport, measure_integrity
from synesthete.media.encode import SegmentWriter, VideoSettings
from synesthete.media.loudness import measure_loudness
from synesthete.media.mux import encode_sound, stitch

NTSC = Fraction(30_000, 1001)


def our_film(folder: Path, sound: np.ndarray, *, rate: int = 44_100, frame_rate: Fraction = NTSC) -> Path:
    frames = Clock(frame_rate).frames_for(sound.shape[1], rate)
    segment, track, film = folder / "0.mp4", folder / "a.m4a", folder / "film.mp4"
    noise = np.random.default_rng(1)
    fast = VideoSettings(speed="ultrafast")
    with SegmentWriter(segment, width=64, height=48, frame_rate=frame_rate, settings=fast) as writer:
        for _ in range(frames):
            writer.write(noise.integers(40, 200, (72, 64), dtype=np.uint8))
    encode_sound(iter([sound]), track, sample_rate=rate, channels=len(sound))
    stitch([(segment, frames)], track, film, frame_rate=frame_rate)
    return film


def facts(report: IntegrityReport) -> dict[str, object]:
    values = report.to_json()
    json.dumps(values, allow_nan=False)
    return values


@pytest.mark.parametrize("frame_rate", [Fraction(24), NTSC, Fraction(60)])
def test_a_film_of_ours_is_whole(tmp_path: Path, frame_rate: Fraction) -> None:
    sound = clip_sound(2.01)
    report = measure_integrity(our_film(tmp_path, sound, frame_rate=frame_rate))
    frames = Clock(frame_rate).frames_for(sound.shape[1], 44_100)
    assert (report.frames, report.expected_frames, report.decoded_frames) == (frames, frames, frames)
    assert report.timestamps
    assert report.decodable
    assert report.av_offset_ms == 0.0
    assert report.av_length_difference_ms == pytest.approx(1000 * (2.01 - frames / frame_rate), abs=0.05)
    plain = measure_loudness(write_wav(tmp_path / "plain.wav", sound))
    assert report.lufs == pytest.approx(plain.integrated_lufs, abs=0.2)
    assert report.true_peak_dbtp == pytest.approx(plain.true_peak_dbtp, abs=1.0)
    assert facts(report)["pass"] is True
    assert facts(report)["problems"] == []


@pytest.mark.parametrize("song_rate", [44_100, 22_050])
@pytest.mark.parametrize("late_ms", [0.0, 10.0, -2.3])
def test_the_offset_from_the_song_is_found_to_a_tenth_of_a_millisecond(
    tmp_path: Path, late_ms: float, song_rate: int
) -> None:
    whole = clip_sound(3.0)
    late = np.roll(whole, round(44.1 * late_ms), axis=1)
    song = write_wav(tmp_path / "song.wav", whole[:, :: 44_100 // song_rate], song_rate)
    report = measure_integrity(our_film(tmp_path, late), song=song)
    assert report.av_offset_ms == pytest.approx(late_ms, abs=0.05)
    assert report.problems == ()


def test_another_song_is_noticed(tmp_path: Path) -> None:
    film = our_film(tmp_path, clip_sound(2.0))
    report = measure_integrity(film, song=write_wav(tmp_path / "other.wav", clip_sound(2.0, seed=1)))
    assert report.problems == ("the film's sound is not that of the song it is compared with",)
    assert report.av_offset_ms == 0.0


def test_silence_is_in_time_with_silence(tmp_path: Path) -> None:
    silence = np.zeros((1, 44_100), np.float32)
    report = measure_integrity(our_film(tmp_path, silence), song=write_wav(tmp_path / "song.wav", silence))
    assert (report.av_offset_ms, report.lufs, report.problems) == (0.0, None, ())


def test_a_song_of_another_length_is_noticed(tmp_path: Path) -> None:
    report = measure_integrity(our_film(tmp_path, clip_sound(2.0)), song_seconds=Fraction(3))
    assert report.expected_frames == 90
    assert report.problems == ("the film has 60 pictures, and its song takes 90",)


def test_sound_that_starts_late_and_ends_late_is_measured_and_named(tmp_path: Path) -> None:
    film = write_clip(
        tmp_path / "film.mkv",
        clip_pictures(30),
        sound=clip_sound(1.0),
        sound_codec="pcm_s16le",
        sound_start_s=Fraction(1, 4),
    )
    report = measure_integrity(film)
    assert report.av_offset_ms == pytest.approx(250, abs=1)
    assert report.av_length_difference_ms == pytest.approx(250, abs=2)
    starts, ends = report.problems
    assert starts == "the sound starts 250.0 ms after the picture, more than a frame (33.3 ms)"
    assert ends.startswith("the sound ends 2")
    assert facts(report)["pass"] is False


def test_a_film_without_sound_says_so(tmp_path: Path) -> None:
    report = measure_integrity(write_clip(tmp_path / "film.mp4", clip_pictures(10)))
    values = facts(report)
    nothing = ("expected_frames", "av_offset_ms", "av_length_difference_ms", "lufs", "true_peak_dbtp")
    assert all(values[name] is None for name in nothing)
    assert (values["pass"], values["problems"]) == (False, ["the film has no sound"])
    assert values["decodable"] is True


def test_uneven_times_are_a_problem(tmp_path: Path) -> None:
    moments = [Fraction(ms, 1000) for ms in (0, 20, 90, 110, 170, 260, 270, 350, 360, 450)]
    film = write_clip(tmp_path / "film.mkv", clip_pictures(10), codec="ffv1", moments_s=moments)
    report = measure_integrity(film)
    assert not report.timestamps
    assert "the pictures don't follow one another evenly, at 20 a second on average" in report.problems


def test_a_film_that_was_cut_off_lacks_pictures_and_sound(tmp_path: Path) -> None:
    film = our_film(tmp_path, clip_sound(4.0))
    content = film.read_bytes()
    film.write_bytes(content[: len(content) // 2])
    report = measure_integrity(film)
    assert report.frames == 120
    assert report.decoded_frames < 80
    assert not report.decodable
    assert f"only {report.decoded_frames} of 120 pictures can be decoded" in report.problems
    assert "the sound is damaged or cut off" in report.problems
    assert report.lufs is not None


def test_pictures_that_were_counted_elsewhere_are_not_counted_again(tmp_path: Path) -> None:
    film = our_film(tmp_path, clip_sound(1.0))
    assert measure_integrity(film, decoded_frames=30).decodable
    report = measure_integrity(film, decoded_frames=29)
    assert (report.decodable, report.problems) == (False, ("only 29 of 30 pictures can be decoded",))


def test_what_is_no_film_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"there is no file film\.mp4"):
        measure_integrity(tmp_path / "film.mp4")
