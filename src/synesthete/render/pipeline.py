"""From a song to a film: plan, score, render what is missing, stitch, write the manifest."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synesthete.audio.moments import telling_character
from synesthete.audio.timeline import Timeline
from synesthete.clock import Clock
from synesthete.config.preset import AUTO_PRESET, FAMILIES, Preset, load_preset
from synesthete.config.render import RenderOptions
from synesthete.errors import ConfigError
from synesthete.evaluation.certificate import CERTIFICATE_JSON
from synesthete.evaluation.verdicts import summary_lines
from synesthete.files import copy_whole, make_folder
from synesthete.generators.base import Size
from synesthete.generators.build import check_preset, choose_device
from synesthete.render.effort import video_settings
from synesthete.render.film import Event, FilmMaker
from synesthete.render.listen import hear
from synesthete.render.output import check_output
from synesthete.render.plan import RenderPlan
from synesthete.render.run import RunFolder

__all__ = ["Film", "make_plan", "render_song"]


@dataclass(frozen=True)
class Film:
    """A finished film.

    Attributes
    ----------
    film
        The file: where the user wanted it, else in the run folder.
    run
        The run folder, with manifest and previews.
    frames
        Number of frames.
    resumed
        Segments that were already finished.
    certificate
        What was measured on it, as in ``certificate.json``; None if that was not wanted.
    """

    film: Path
    run: Path
    frames: int
    resumed: int
    certificate: Mapping[str, Any] | None = None

    @property
    def summary(self) -> list[str]:
        """Give the certificate's three lines; none without one."""
        return [] if self.certificate is None else summary_lines(self.certificate)


def render_song(
    song: Path,
    options: RenderOptions,
    *,
    output: Path | None = None,
    on_event: Callable[[Event], None] = lambda event: None,
) -> Film:
    """Render a song to a film; repeating the call resumes, or recognises what is finished.

    Parameters
    ----------
    output
        Where to copy the film to (``.mp4``).
    on_event
        Receives ``plan``, ``compile``, ``progress`` and ``done`` as JSON-ready mappings.

    Raises
    ------
    InputError
        If song, options or places can't be used.
    BusyError
        If another process renders the same run.
    RenderError
        If rendering fails half-way.
    """
    if output is not None:
        check_output(output, song, example="film.mp4", because="films are H.264 in MP4")
    started = time.perf_counter()
    plan, timeline = make_plan(song, options)
    on_event({"event": "plan", **plan.summary()})
    if options.frames is not None:
        make_folder(options.frames)
    folder = RunFolder(options.workspace / "renders" / plan.run_id)
    with folder.opened():
        if options.force:
            folder.clear()
        maker = FilmMaker(plan, timeline, folder, on_event)
        finished = folder.finished()
        resumed = maker.make() if finished is None else maker.recognise(finished["film"]["sha256"])
        film = folder.film
        if output is not None:
            copy_whole(folder.film, output)
            film = output
    result = Film(
        film=film, run=folder.path, frames=plan.frames, resumed=resumed, certificate=maker.certificate
    )
    on_event(
        {
            "event": "done",
            "film": str(result.film),
            "run": str(result.run),
            "frames": result.frames,
            "segments_resumed": resumed,
            "certificate": None if maker.certificate is None else str(folder.path / CERTIFICATE_JSON),
            "seconds": round(time.perf_counter() - started, 3),
        }
    )
    return result


def make_plan(song: Path, options: RenderOptions) -> tuple[RenderPlan, Timeline]:
    """Resolve everything that is decided before the first frame; analyses the song.

    Raises
    ------
    InputError
        If song or options can't be used.
    """
    preset = None if options.preset == AUTO_PRESET else _resolve_preset(options, options.preset_name())
    width, height = options.size()
    choose_device(options.device)
    video = video_settings(options)
    timeline, facts = hear(
        song,
        start=options.start,
        end=options.end,
        allow_truncated=options.allow_truncated,
        workspace=options.workspace,
        bpm=options.bpm,
        stems=options.stems,
    )
    plan = RenderPlan(
        song=facts,
        preset=preset or _resolve_preset(options, FAMILIES[telling_character(timeline)]),
        options=options,
        size=Size(width, height),
        frame_rate=options.fps,
        frames=Clock(options.fps).frames_for(facts.samples, facts.sample_rate),
        video=video,
        timeline_digest=timeline.digest(),
    )
    return plan, timeline


def _resolve_preset(options: RenderOptions, name: str) -> Preset:
    changes = list(options.set)
    if options.seed is not None:
        changes.append(f"seed={options.seed}")
    preset = load_preset(name, assignments=changes)
    if options.generator is not None and preset.generator != options.generator:
        raise ConfigError(
            f"preset {preset.name} is for the generator {preset.generator}, not {options.generator}; "
            "drop --generator or choose another preset"
        )
    check_preset(preset)
    return preset
