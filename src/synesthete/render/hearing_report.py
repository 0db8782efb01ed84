"""What was heard in a song, in one value: for people, for JSON, and as arrays."""

import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from synesthete.audio.music import Music
from synesthete.audio.silences import find_silences
from synesthete.audio.timeline import Timeline
from synesthete.config.analyse import AnalyseOptions
from synesthete.files import whole_file
from synesthete.media.decode import Span
from synesthete.media.loudness import Loudness, measure_loudness
from synesthete.render.listen import hear
from synesthete.render.plan import SongFacts

__all__ = ["HearingReport", "report_hearing", "write_arrays"]


@dataclass(frozen=True)
class HearingReport:
    """What was heard in a song, or in a part of it; moments count from the part's start.

    Attributes
    ----------
    song, timeline
        The song's facts, and its columns.
    loudness
        Integrated loudness and true peak.
    silences
        Start and end of each, seconds; see `synesthete.audio.silences.find_silences`.
    """

    song: SongFacts
    timeline: Timeline
    loudness: Loudness
    silences: tuple[tuple[float, float], ...]

    @property
    def music(self) -> Music:
        """Beats, bars, key and sections."""
        return self.timeline.music

    @property
    def duration_s(self) -> float:
        """Length of what was heard, seconds."""
        return float(self.timeline.duration)

    def to_json(self) -> dict[str, Any]:
        """Give all that ``synesthete analyse --json`` prints: seconds, dB, and None for what isn't there."""
        return {
            "song": self.song.path.name,
            "duration_s": self.duration_s,
            "sample_rate": self.song.sample_rate,
            "channels": self.song.channels,
            **self.music.to_json(),
            "loudness_lufs": self.loudness.integrated_lufs,
            "true_peak_dbtp": self.loudness.true_peak_dbtp,
            "silences": [{"start_s": start, "end_s": end} for start, end in self.silences],
        }


def report_hearing(song: Path, options: AnalyseOptions) -> HearingReport:
    """Hear a song and measure how loud it is, side by side.

    Raises
    ------
    InputError
        If the song, a stem or an option can't be used.
    """
    span = Span(options.start or Fraction(0), options.end)
    with ThreadPoolExecutor(1, thread_name_prefix="loudness") as beside:
        measured = beside.submit(measure_loudness, song, span, options.allow_truncated)
        timeline, facts = hear(
            song,
            start=options.start,
            end=options.end,
            allow_truncated=options.allow_truncated,
            workspace=options.workspace,
            bpm=options.bpm,
            stems=options.stems,
        )
        loudness = measured.result()
    duration = float(timeline.duration)
    silences = find_silences(timeline.column("silence"))  # the last row may reach over the song's end
    return HearingReport(facts, timeline, loudness, tuple((a, min(b, duration)) for a, b in silences))


def write_arrays(path: Path, timeline: Timeline, frame_rate: Fraction | None = None) -> None:
    """Write a Timeline as a NumPy archive, whole: an array per column, ``beats`` and ``downbeats``.

    The columns are float32, shape (rows,); the moments float64, seconds. Arrays are written one after
    another, and the same Timeline gives the same bytes.

    Parameters
    ----------
    path
        File to write, ``.npz``.
    frame_rate
        Rows per second, as `Timeline.at_frames` gives them; None for the 100 Hz of the analysis.

    Raises
    ------
    OutputError, RenderError
        If the file can't be written.
    """
    with whole_file(path) as part, zipfile.ZipFile(part, "w") as archive:
        for name, array in _arrays(timeline, frame_rate):
            # Of 1980, as ZIP's time begins there: a date of its own would make the bytes differ.
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as handle:
                np.lib.format.write_array(handle, np.ascontiguousarray(array), allow_pickle=False)


def _arrays(timeline: Timeline, frame_rate: Fraction | None) -> Iterator[tuple[str, np.ndarray]]:
    for name in timeline.names:
        if frame_rate is None:
            yield name, timeline.column(name)
        else:
            yield name, timeline.at_frames(frame_rate, [name])[:, 0]
    yield "beats", np.array(timeline.music.beats, np.float64)
    yield "downbeats", np.array(timeline.music.downbeats, np.float64)
