"""A film for checking by eye and ear: every beat clicks and flashes, over the song's curves and sections."""

import contextlib
import secrets
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float32

from synesthete.audio.music import Music
from synesthete.clock import Clock, samples_at
from synesthete.files import make_folder, whole_file, writing_to
from synesthete.media.encode import SegmentWriter, VideoSettings
from synesthete.media.mux import encode_sound, stitch
from synesthete.render.check_picture import CHECK_RATE, CHECK_SIZE, CheckPainter
from synesthete.render.hearing_report import HearingReport
from synesthete.render.listen import song_chunks
from synesthete.render.threads import single_threaded

__all__ = ["add_clicks", "write_check_film"]

_STALE_SECONDS: Final = 24 * 3600
_CLICK_S: Final = 0.04
_CLICK_DECAY_S: Final = 0.008
_BEAT_HZ, _DOWNBEAT_HZ = 1_000.0, 2_000.0
_CLICK_LEVEL, _SONG_LEVEL = 0.5, 0.5  # together at most full scale


def write_check_film(path: Path, report: HearingReport, *, workspace: Path, allow_truncated: bool) -> None:
    """Write a film with a click and a flash on every beat; see `CheckPainter`.

    Parameters
    ----------
    path
        File to write, ``.mp4``; it appears whole or not at all.
    report
        What was heard.
    workspace
        Picture and sound are made in its ``cache`` before they are joined.
    allow_truncated
        Use what can be decoded of a damaged file.

    Raises
    ------
    MediaError
        If the song can't be decoded any more.
    OutputError, RenderError
        If a file can't be written, or an encoder fails.
    """
    _sweep(workspace / "cache")
    scratch = make_folder(workspace / "cache" / f"check-{secrets.token_hex(4)}")
    try:
        with writing_to(scratch), ThreadPoolExecutor(1, thread_name_prefix="check-sound") as beside:
            sound = beside.submit(_write_sound, scratch / "sound.m4a", report, allow_truncated)
            frames = _write_picture(scratch / "picture.mp4", report)
            sound.result()
        with whole_file(path) as part:
            stitch([(scratch / "picture.mp4", frames)], scratch / "sound.m4a", part, frame_rate=CHECK_RATE)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _sweep(cache: Path) -> None:
    """Remove what killed processes left; a day is longer than any check film takes."""
    for folder in cache.glob("check-*"):
        with contextlib.suppress(OSError):
            if time.time() - folder.lstat().st_mtime > _STALE_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def add_clicks(
    chunks: Iterator[Float32[np.ndarray, "channels samples"]], music: Music, sample_rate: int
) -> Iterator[Float32[np.ndarray, "channels samples"]]:
    """Mix a click into a stream of samples at every beat, 1 kHz, and 2 kHz on downbeats.

    A click begins at the beat's own sample, at once; the music is halved to make room for it.

    Parameters
    ----------
    chunks
        The song, full scale ±1.
    music
        What was heard in it.
    sample_rate
        Of the song, Hz.
    """
    bars = set(music.downbeats)
    clicks = {high: _click(_DOWNBEAT_HZ if high else _BEAT_HZ, sample_rate) for high in (False, True)}
    places = [(samples_at(beat, sample_rate), beat in bars) for beat in music.beats]
    first, position = 0, 0
    for chunk in chunks:
        mixed, stop = chunk * np.float32(_SONG_LEVEL), position + chunk.shape[1]
        while first < len(places) and places[first][0] + len(clicks[False]) <= position:
            first += 1
        for place, high in places[first:]:
            if place >= stop:
                break
            begin, end = max(place, position), min(place + len(clicks[high]), stop)
            if begin < end:
                mixed[:, begin - position : end - position] += clicks[high][begin - place : end - place]
        position = stop
        yield mixed


def _click(frequency: float, sample_rate: int) -> Float32[np.ndarray, " samples"]:
    time_s = np.arange(round(_CLICK_S * sample_rate)) / sample_rate
    wave = np.sin(2 * np.pi * min(frequency, sample_rate / 5) * time_s) * np.exp(-time_s / _CLICK_DECAY_S)
    return (_CLICK_LEVEL * wave).astype(np.float32)


def _write_sound(path: Path, report: HearingReport, allow_truncated: bool) -> None:
    song = report.song
    chunks = song_chunks(song, allow_truncated=allow_truncated)
    clicked = add_clicks(chunks, report.music, song.sample_rate)
    encode_sound(clicked, path, sample_rate=song.sample_rate, channels=song.channels)


def _write_picture(path: Path, report: HearingReport) -> int:
    frames = Clock(CHECK_RATE).frames_for(report.song.samples, report.song.sample_rate)
    with (
        single_threaded(),  # pieces too small to share
        SegmentWriter(
            path,
            width=CHECK_SIZE.width,
            height=CHECK_SIZE.height,
            frame_rate=CHECK_RATE,
            settings=VideoSettings(crf=23, speed="superfast", threads=2),
        ) as writer,
    ):
        painter = CheckPainter(report, frames)
        for frame in range(frames):
            writer.write(painter.paint(frame))
    return frames
