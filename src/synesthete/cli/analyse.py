"""``synesthete analyse``."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synesthete.cli.render import (
    BpmOption,
    DebugOption,
    EndOption,
    Song,
    StartOption,
    StemsOption,
    TruncatedOption,
    WorkspaceOption,
)
from synesthete.clock import format_duration
from synesthete.config.analyse import AnalyseOptions
from synesthete.config.base import build

if TYPE_CHECKING:
    from synesthete.render.hearing_report import HearingReport

__all__ = ["analyse"]

_SHOWN_SILENCES = 12


def _option(field: str) -> Any:
    return typer.Option(help=AnalyseOptions.model_fields[field].description)


def analyse(
    song: Song,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Write all columns, beats and downbeats to FILE.npz.", metavar="FILE.npz"
        ),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw what was heard to FILE.png.", metavar="FILE.png")
    ] = None,
    film: Annotated[
        Path | None,
        typer.Option(help="Write a film with a click and a flash on every beat.", metavar="FILE.mp4"),
    ] = None,
    start: StartOption = None,
    end: EndOption = None,
    fps: Annotated[str | None, _option("fps")] = None,
    bpm: BpmOption = None,
    stems: StemsOption = None,
    workspace: WorkspaceOption = Path(),
    allow_truncated: TruncatedOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    debug: DebugOption = False,
) -> None:
    """Hear SONG: tempo, beats, key, sections, loudness and silences."""
    options = build(
        AnalyseOptions,
        {
            "start": start, "end": end, "fps": fps, "bpm": bpm, "stems": stems, "workspace": workspace,
            "allow_truncated": allow_truncated,
        },
        where="options",
    )  # fmt: skip
    from synesthete.audio.stems import find_stems
    from synesthete.render.hearing_report import report_hearing, write_arrays
    from synesthete.render.output import check_output

    for option, target, example, because in (
        ("--output", output, "timeline.npz", "a timeline is a NumPy archive"),
        ("--plot", plot, "plot.png", "a plot is a PNG picture"),
        ("--film", film, "check.mp4", "films are H.264 in MP4"),
    ):
        if target is not None:
            check_output(target, song, example=example, because=because, option=option)
            for stem in find_stems(stems).values() if stems else ():
                check_output(
                    target, stem, example=example, because=because, option=option, source="one of the stems"
                )

    report = report_hearing(song, options)
    if output is not None:
        write_arrays(output, report.timeline, options.fps)
    if plot is not None:
        from synesthete.render.plot import write_plot

        write_plot(plot, report)
    if film is not None:
        from synesthete.render.check_film import write_check_film

        write_check_film(film, report, workspace=workspace, allow_truncated=allow_truncated)
    if as_json:
        print(json.dumps(report.to_json(), allow_nan=False), flush=True)
        return
    for line in _summary(report):
        typer.echo(line)
    for name, target in (("timeline", output), ("plot", plot), ("film", film)):
        if target is not None:
            typer.echo(_row(name, str(target)))


def _summary(report: "HearingReport") -> list[str]:
    music, loudness = report.music, report.loudness
    lines = [_row("duration", _moment(report.duration_s))]
    if music.tempo_bpm is None:
        lines.append(_row("tempo", "no beat heard"))
    else:
        metre = f", {music.beats_per_bar} beats to the bar" if music.beats_per_bar else ""
        lines.append(_row("tempo", f"{music.tempo_bpm:.1f} BPM{metre}"))
        counted = f"{len(music.beats)}, {len(music.downbeats)} of them downbeats"
        lines.append(_row("beats", f"{counted}; confidence {music.beat_confidence:.2f}"))
    lines.append(_row("key", music.key or "none stands out"))
    peak = _level(loudness.true_peak_dbtp, "dBTP")
    lines.append(_row("loudness", f"{_level(loudness.integrated_lufs, 'LUFS')}, true peak {peak}"))
    silences = [_stretch(start, end) for start, end in report.silences]
    more = len(silences) - _SHOWN_SILENCES
    rest = f" and {more} more" if more > 0 else ""
    lines.append(_row("silences", ", ".join(silences[:_SHOWN_SILENCES]) + rest if silences else "none"))
    for index, part in enumerate(music.sections):
        stretch = _stretch(part.start_s, part.end_s)
        length = format_duration(part.end_s - part.start_s)
        lines.append(_row("" if index else "sections", f"{part.label:2} {stretch:17} {length:>7}"))
    return lines


def _row(name: str, value: str) -> str:
    return f"{name:9} {value}"


def _level(value: float | None, unit: str) -> str:
    return "silent" if value is None else f"{value:.1f} {unit}"


def _stretch(start: float, end: float) -> str:
    return f"{_moment(start)} to {_moment(end)}"


def _moment(seconds: float) -> str:
    """Write a moment to a tenth of a second: ``1:02.5``, ``1:00:02.5``."""
    minutes, tenths = divmod(round(seconds * 10), 600)
    hours, minutes = divmod(minutes, 60)
    clock = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    return f"{clock}:{tenths // 10:02}.{tenths % 10}"
