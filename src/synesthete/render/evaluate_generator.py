"""Probe generators side by side: presets and baselines, on songs of the user's or on those that ship."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from synesthete.audio.columns import BANDS
from synesthete.audio.timeline import Timeline
from synesthete.config.evaluate import ProbeOptions
from synesthete.config.preset import default_preset, load_preset
from synesthete.config.render import RenderOptions
from synesthete.errors import ConfigError
from synesthete.evaluation.baselines import baselines
from synesthete.evaluation.generator_probes import ProbeResult, probe_subject
from synesthete.evaluation.generator_report import FIGURES
from synesthete.evaluation.music_sync import report_sync
from synesthete.evaluation.observe import Observation
from synesthete.evaluation.picture import measure_picture
from synesthete.evaluation.probe_music import PROBE_SONGS, write_probe_song
from synesthete.evaluation.subjects import PresetSubject, ProbeSong, Subject
from synesthete.evaluation.thumbnails import load_references
from synesthete.evaluation.verdicts import value_at
from synesthete.files import make_folder
from synesthete.render.listen import hear
from synesthete.render.threads import single_threaded

__all__ = ["check_limits", "evaluate_generator", "failures", "probe_song", "sync_of"]


def evaluate_generator(
    options: ProbeOptions, *, on_step: Callable[[str, str], None] = lambda subject, step: None
) -> list[ProbeResult]:
    """Probe a preset, those it is compared with, and the baselines.

    Parameters
    ----------
    on_step
        Called with the name of who is probed and a word on what is next.

    Returns
    -------
    One result each, the preset's first.

    Raises
    ------
    InputError
        If a preset, a song or the folder of references can't be used.
    """
    subjects = _subjects(options)
    references = None if options.references is None else load_references(options.references)
    names = list(PROBE_SONGS)
    song = probe_song(options.song, names[0], options.workspace)
    other = probe_song(options.other, names[1], options.workspace)
    results = []
    with single_threaded():
        for subject in subjects:
            results.append(
                probe_subject(
                    subject,
                    song,
                    other,
                    sync=sync_of,
                    references=references,
                    on_step=lambda step, name=subject.name: on_step(name, step),  # type: ignore[misc]
                )
            )
    return results


def failures(figures: Mapping[str, Any], limits: Mapping[str, float]) -> list[str]:
    """Say of each figure that is under its limit, or undetermined, what it is.

    Examples
    --------
    >>> failures({"shuffle": {"gap": 0.05}}, {"shuffle.gap": 0.069})
    ['shuffle.gap is 0.05, under 0.069']
    """
    found = []
    for key, limit in limits.items():
        value = value_at(figures, key)
        if value is None:
            found.append(f"{key} can't be told, and {limit:g} is asked for")
        elif value < limit:
            found.append(f"{key} is {value:g}, under {limit:g}")
    return found


def check_limits(limits: Mapping[str, float]) -> None:
    """Refuse figures that there are not, or of which less is better.

    Raises
    ------
    ConfigError
        If one is not known; says which are.
    """
    figures = [figure for group in FIGURES.values() for figure in group]
    known = ["sync.r2", *(f"bands.band_{band}" for band in range(BANDS))]
    known += [figure.key for figure in figures if figure.better != "lower"]
    for key in limits:
        if key not in known:
            raise ConfigError(
                f"--fail-under knows no figure {key!r} of which more is better; known are {', '.join(known)}"
            )


def _subjects(options: ProbeOptions) -> list[Subject]:
    first = options.preset or default_preset(options.generator)
    render = RenderOptions(kernels="eager", device=options.device, workspace=options.workspace)
    subjects: list[Subject] = []
    for name in dict.fromkeys((first, *options.compare)):
        preset = load_preset(name)
        if name == first and options.generator not in (None, preset.generator):
            raise ConfigError(
                f"preset {preset.name} is for the generator {preset.generator}, not {options.generator}; "
                "drop --generator or choose another preset"
            )
        subjects.append(PresetSubject(preset, render))
    return [*subjects, *(baselines() if options.baselines else ())]


def probe_song(given: Path | None, name: str, workspace: Path) -> ProbeSong:
    """Hear a song of the user's, or one of those that ship."""
    path = given
    if path is None:
        path = make_folder(workspace / "cache" / "probe-songs") / f"{name}.wav"
        write_probe_song(name, path)
    timeline, _ = hear(path, start=None, end=None, allow_truncated=False, workspace=workspace)
    return ProbeSong(path.stem, timeline, path)


def sync_of(observation: Observation, timeline: Timeline) -> Mapping[str, Any]:
    """Measure the sync of what a probe has drawn."""
    return report_sync(observation, measure_picture(observation), timeline)
