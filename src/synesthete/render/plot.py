"""Draw what was heard in a song as one picture: sections, waveform, spectrum, bands, onsets, tempo."""

import itertools
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float

from synesthete.audio.columns import FLOOR_DBFS
from synesthete.audio.music import Music
from synesthete.clock import ANALYSIS_RATE, format_duration
from synesthete.files import whole_file
from synesthete.media.probe import show_name
from synesthete.render.hearing_report import HearingReport

__all__ = ["PLOT_SIZE", "section_colours", "write_plot"]

PLOT_SIZE: Final = (1600, 1200)
"""Width and height of the picture, pixels."""

Curve = Float[np.ndarray, " pixels"]

_DPI: Final = 160
_LEFT, _RIGHT, _TOP, _BOTTOM = 0.052, 0.976, 0.902, 0.04
_COLUMNS: Final = round(PLOT_SIZE[0] * (_RIGHT - _LEFT))
_HEIGHTS: Final = (0.34, 1.7, 2.1, 1.75, 1.3, 0.8)

_NIGHT, _PANEL, _GRID = "#0d0f14", "#12151c", "#232833"
_TEXT, _FAINT = "#e8eaf0", "#8a91a3"
_BEAT, _DOWNBEAT, _ONSET, _TEMPO = "#7f8aa3", "#ffd479", "#9fd8ff", "#ffd479"
_BANDS: Final = (("treble", "#8be0d4"), ("mid", "#8fa8ff"), ("bass", "#ff8f9c"))
_SECTIONS: Final = (
    "#6ea8fe", "#f2a65a", "#7bd389", "#e07a9b", "#b796f0", "#5fcfcf", "#e3cf64", "#c58f6d",
    "#9aa7b8", "#f08a6c",
)  # fmt: skip
_OCTAVE_HZ: Final = (50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)
_LOW_HZ, _HIGH_HZ = 30.0, 16_000.0
_NEAREST_LINES: Final = 9  # pixels; what is denser becomes a grey wash
_TICK_STEPS: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200)


def write_plot(path: Path, report: HearingReport) -> None:
    """Draw what was heard in a song, and write it as PNG, whole; see `PLOT_SIZE`.

    Parameters
    ----------
    path
        File to write, ``.png``.
    report
        What was heard; curves are drawn at one value a pixel, so an hour takes no more than a minute of it.

    Raises
    ------
    OutputError, RenderError
        If the file can't be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(PLOT_SIZE[0] / _DPI, PLOT_SIZE[1] / _DPI), dpi=_DPI, facecolor=_NIGHT)
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(
        len(_HEIGHTS),
        1,
        height_ratios=_HEIGHTS,
        left=_LEFT,
        right=_RIGHT,
        top=_TOP,
        bottom=_BOTTOM,
        hspace=0.2,
    )
    panels = [figure.add_subplot(grid[row]) for row in range(len(_HEIGHTS))]
    _draw_title(figure, report)
    for panel, draw in zip(
        panels,
        (_draw_sections, _draw_waveform, _draw_spectrum, _draw_bands, _draw_onsets, _draw_tempo),
        strict=True,
    ):
        _prepare(panel, report.duration_s)
        draw(panel, report)
    _label_time(panels[-1], report.duration_s)
    with warnings.catch_warnings(), whole_file(path) as part:
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a song's name may be in any script
        figure.savefig(part, format="png", dpi=_DPI, facecolor=_NIGHT, metadata={"Software": None})


def section_colours(labels: Sequence[str]) -> dict[str, str]:
    """Give each label a colour, ``#rrggbb``, in the order in which they are first seen."""
    names = list(dict.fromkeys(labels))
    return {name: _SECTIONS[index % len(_SECTIONS)] for index, name in enumerate(names)}


def _draw_title(figure: Any, report: HearingReport) -> None:
    music, loudness = report.music, report.loudness
    metre = f", {music.beats_per_bar} to the bar" if music.beats_per_bar else ""
    facts = [
        format_duration(report.duration_s),
        "no beat" if music.tempo_bpm is None else f"{music.tempo_bpm:.1f} BPM{metre}",
        music.key or "",
        "silent" if loudness.integrated_lufs is None else f"{loudness.integrated_lufs:.1f} LUFS",
    ]
    if loudness.true_peak_dbtp is not None:
        facts.append(f"true peak {loudness.true_peak_dbtp:+.1f} dBTP".replace("-", "−"))
    title = report.song.tags.get("title") or Path(show_name(report.song.path)).stem
    artist = report.song.tags.get("artist")
    name = f"{title} – {artist}" if artist else title
    shown = "".join(letter if letter.isprintable() else " " for letter in name)
    shown = shown if len(shown) <= 64 else f"{shown[:63]}…"
    figure.text(_LEFT, 0.962, shown, color=_TEXT, fontsize=12.5, va="center", weight="bold", parse_math=False)
    line = "   ·   ".join(filter(None, facts)).replace(" -", " −")
    figure.text(_LEFT, 0.930, line, color=_FAINT, fontsize=8.2, va="center", parse_math=False)


def _prepare(panel: Any, duration_s: float) -> None:
    panel.set_facecolor(_PANEL)
    panel.set_xlim(0, duration_s)
    panel.set_xticks([])
    panel.set_yticks([])
    panel.tick_params(length=0, colors=_FAINT, labelsize=6.4, pad=3)
    for side in panel.spines.values():
        side.set_visible(False)


def _draw_sections(panel: Any, report: HearingReport) -> None:
    colours = section_colours([part.label for part in report.music.sections])
    panel.set_facecolor("none")
    panel.set_ylim(0, 1)
    gap = report.duration_s / _COLUMNS
    for part in report.music.sections:
        length = max(part.end_s - part.start_s - gap, gap)
        panel.barh(0.5, length, 1.0, left=part.start_s, color=colours[part.label], alpha=0.92, linewidth=0)
        if length * _COLUMNS > 16 * report.duration_s:
            middle = part.start_s + length / 2
            panel.text(
                middle, 0.46, part.label, color=_NIGHT, fontsize=8, ha="center", va="center", weight="bold"
            )


def _draw_waveform(panel: Any, report: HearingReport) -> None:
    timeline = report.timeline
    peak = _reduced(timeline.column("peak"), np.max)
    rms = 10 ** ((_reduced(timeline.column("loudness"), np.mean) - 1) * -FLOOR_DBFS / 20)
    rms = np.where(rms > 10 ** (FLOOR_DBFS / 20), rms, 0)
    moments = _moments(peak, report)
    panel.set_ylim(-1.04, 1.04)
    colours = section_colours([part.label for part in report.music.sections])
    for start, end, colour in [
        (part.start_s, part.end_s, colours[part.label]) for part in report.music.sections
    ] or [(0.0, report.duration_s, _SECTIONS[0])]:
        here = (moments >= start) & (moments <= end)
        panel.fill_between(moments, -peak, peak, where=here, color=colour, alpha=0.45, linewidth=0)
        panel.fill_between(moments, -rms, rms, where=here, color=colour, alpha=0.95, linewidth=0)
    for start, end in report.silences:
        panel.axvspan(start, end, color=_GRID, alpha=0.8, linewidth=0)
        if (end - start) * _COLUMNS > 60 * report.duration_s:
            panel.text((start + end) / 2, 0, "silence", color=_FAINT, fontsize=6.4, ha="center", va="center")
    _name(panel, "waveform", "peak and RMS")


def _draw_spectrum(panel: Any, report: HearingReport) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    colours = LinearSegmentedColormap.from_list(
        "night", [_PANEL, "#1b1e4b", "#53247a", "#a3317d", "#e65a5a", "#f9a557", "#fdeca6"], N=512
    )
    picture = _reduced(report.timeline.spectrum, np.max)
    panel.imshow(
        picture.T,
        aspect="auto",
        origin="lower",
        extent=(0, report.duration_s, 0, 1),
        cmap=colours,
        vmin=0.15,
        vmax=0.95,
        interpolation="bilinear",
    )
    places = [np.log(hz / _LOW_HZ) / np.log(_HIGH_HZ / _LOW_HZ) for hz in _OCTAVE_HZ]
    panel.set_yticks(places, [f"{hz // 1000} kHz" if hz >= 1000 else f"{hz} Hz" for hz in _OCTAVE_HZ])
    _name(panel, "spectrum", "64 bands")


def _draw_bands(panel: Any, report: HearingReport) -> None:
    """Draw three ridges, one above the other, each over the whole range of levels."""
    step = 0.78
    panel.set_ylim(0, 2 * step + 1.04)
    places = []
    for order, (name, colour) in enumerate(reversed(_BANDS)):
        level = _reduced(report.timeline.column(name), np.max)
        base, moments = order * step, _moments(level, report)
        depth = 3 - order
        panel.fill_between(moments, base, base + level, color=_mixed(colour, 0.30), linewidth=0, zorder=depth)
        panel.plot(moments, base + level, color=colour, linewidth=0.7, zorder=depth + 0.5)
        panel.axhline(base, color=_GRID, linewidth=0.6, zorder=depth + 0.6)
        places.append((base + 0.36, name))
    panel.set_yticks([place for place, _ in places], [name for _, name in places])
    for label, (_, colour) in zip(panel.get_yticklabels(), reversed(_BANDS), strict=True):
        label.set_color(colour)
    _name(panel, "bands", "−60 to 0 dBFS each")


def _draw_onsets(panel: Any, report: HearingReport) -> None:
    onset = _reduced(report.timeline.column("onset"), np.max)
    moments = _moments(onset, report)
    panel.set_ylim(0, 1.05)
    music = report.music
    beats = np.setdiff1d(np.array(music.beats), np.array(music.downbeats))
    crowded = _spacing(music.beats, report.duration_s) < _NEAREST_LINES
    if not crowded:
        panel.vlines(beats, 0, 1.05, color=_BEAT, linewidth=0.5, alpha=0.55)
    bars = np.array(music.downbeats)
    every = _thinning(_spacing(music.downbeats, report.duration_s))
    panel.vlines(bars[::every], 0, 1.05, color=_DOWNBEAT, linewidth=0.8, alpha=0.75)
    usual = _reduced(report.timeline.column("onset"), np.mean)
    panel.fill_between(moments, 0, onset, color=_ONSET, linewidth=0, zorder=3, alpha=0.5)
    panel.fill_between(moments, 0, usual, color=_ONSET, linewidth=0, zorder=4, alpha=0.9)
    if not music.beats:
        _name(panel, "onsets", "no beat heard")
        return
    bar_lines = "downbeats" if every == 1 else f"every {every}th downbeat"
    notes, colours = ((bar_lines,), (_DOWNBEAT,)) if crowded else (("beats", bar_lines), (_BEAT, _DOWNBEAT))
    _name(panel, "onsets", *notes, colours=colours)


def _draw_tempo(panel: Any, report: HearingReport) -> None:
    moments, tempo = _local_tempo(report.music)
    if not tempo.size:
        panel.set_ylim(0, 1)
        _name(panel, "tempo", "no beat heard")
        return
    low, high = float(tempo.min()), float(tempo.max())
    middle, reach = (low + high) / 2, max((high - low) * 0.75, 0.06 * (low + high) / 2)
    panel.set_ylim(middle - reach, middle + reach)
    panel.plot(moments, tempo, color=_TEMPO, linewidth=1.0, solid_capstyle="round")
    ticks = [middle - reach * 0.6, middle, middle + reach * 0.6]
    panel.set_yticks(ticks, [f"{tick:.0f}" for tick in ticks])
    for tick in ticks:
        panel.axhline(tick, color=_GRID, linewidth=0.6, zorder=0)
    _name(panel, "tempo", "BPM")


def _name(panel: Any, name: str, *notes: str, colours: Sequence[str] = ()) -> None:
    """Write above a panel what it shows, and notes in colours of their own."""
    from matplotlib.offsetbox import AnchoredOffsetbox, HPacker, TextArea

    texts: list[Any] = [TextArea(name, textprops={"color": _TEXT, "fontsize": 7.2, "weight": "bold"})]
    for note, colour in itertools.zip_longest(notes, colours, fillvalue=_FAINT):
        texts.append(TextArea(note, textprops={"color": colour, "fontsize": 6.6}))
    line = HPacker(children=texts, align="baseline", pad=0, sep=6)
    panel.add_artist(
        AnchoredOffsetbox(
            "lower left", child=line, pad=0, borderpad=0.25, frameon=False, bbox_to_anchor=(-0.002, 1),
            bbox_transform=panel.transAxes,
        )
    )  # fmt: skip


def _label_time(panel: Any, duration_s: float) -> None:
    step = next((step for step in _TICK_STEPS if duration_s / step <= 13), _TICK_STEPS[-1])
    ticks = np.arange(0, duration_s, step)
    panel.set_xticks(ticks, [_clock(tick, step) for tick in ticks])


def _clock(seconds: float, step: float) -> str:
    if step < 1:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _reduced(values: np.ndarray, how: Any) -> np.ndarray:
    """Reduce rows to at most one a pixel, by ``np.max`` or ``np.mean`` over equal stretches."""
    if len(values) <= _COLUMNS:
        return np.asarray(values, np.float64)
    edges = np.arange(_COLUMNS + 1) * len(values) // _COLUMNS
    return np.stack([how(values[start:stop], axis=0) for start, stop in itertools.pairwise(edges)])


def _moments(curve: Curve, report: HearingReport) -> Curve:
    if len(curve) == report.timeline.ticks:
        return np.minimum(np.arange(len(curve)) / ANALYSIS_RATE, report.duration_s)
    return (np.arange(len(curve)) + 0.5) * report.duration_s / len(curve)


def _local_tempo(music: Music) -> tuple[np.ndarray, np.ndarray]:
    """Give moments and the tempo around them: the median over eight beats, beats per minute."""
    beats = np.array(music.beats)
    if len(beats) < 2:
        return np.zeros(0), np.zeros(0)
    lengths = np.diff(beats)
    reach = 4
    tempo = [60 / np.median(lengths[max(0, k - reach) : k + reach + 1]) for k in range(len(lengths))]
    return (beats[:-1] + beats[1:]) / 2, np.array(tempo)


def _spacing(moments: Sequence[float], duration_s: float) -> float:
    """Give the usual distance of two lines, pixels."""
    return float(np.median(np.diff(moments))) * _COLUMNS / duration_s if len(moments) > 1 else float("inf")


def _thinning(spacing: float) -> int:
    every = 1
    while spacing * every < _NEAREST_LINES:
        every *= 4
    return every


def _mixed(colour: str, share: float) -> tuple[float, float, float]:
    """Mix a colour into the panel's, as an opaque colour."""
    red, green, blue = (
        share * int(colour[k : k + 2], 16) / 255 + (1 - share) * int(_PANEL[k : k + 2], 16) / 255
        for k in (1, 3, 5)
    )
    return red, green, blue
