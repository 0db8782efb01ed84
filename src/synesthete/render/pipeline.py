"""From a song to a film: plan, score, render what is missing, stitch, write the manifest."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from synesthete.audio.moments import telling_character
from synesthete.audio.timeline import Timeline
from synesthete.clock import Clock, format_duration
from synesthete.config.mood import DEFAULT_MOOD, Mood, load_mood
from synesthete.config.post import Lut, digested_lut
from synesthete.config.preset import (
    AUTO_PRESET,
    FAMILIES,
    Preset,
    check_key,
    load_preset,
    with_lut,
    with_style_image,
)
from synesthete.config.render import RenderOptions
from synesthete.errors import ConfigError
from synesthete.evaluation.certificate import CERTIFICATE_JSON
from synesthete.evaluation.verdicts import summary_lines
from synesthete.files import copy_whole, make_folder
from synesthete.generators.base import Size
from synesthete.generators.build import check_preset, choose_device
from synesthete.render.effort import video_settings
from synesthete.render.film import Event, FilmMaker
from synesthete.render.listen import hear, hear_loop
from synesthete.render.output import check_film_output
from synesthete.render.plan import RenderPlan, SongFacts
from synesthete.render.run import RunFolder
from synesthete.render.schedule import plan_schedule
from synesthete.render.style_image import given_style
from synesthete.render.titles import film_titles

__all__ = ["Film", "make_plan", "plan_film", "render_song"]


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
        Where to copy the film to; without a codec in the options, its suffix chooses one.
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
    options = options.in_format(output)
    if output is not None:
        check_film_output(output, song, options.film_codec())
    started = time.perf_counter()
    plan, timeline = make_plan(song, options)
    on_event({"event": "plan", **plan.summary()})
    for message in () if plan.titles is None else plan.titles.warnings:
        on_event({"event": "warning", "message": message})
    if options.frames is not None:
        make_folder(options.frames)
    folder = RunFolder(options.workspace / "renders" / plan.run_id, plan.video.coding)
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
    plainly = options.model_copy(update={"set": (), "generator": None, "style_image": None})
    others = [_resolve_preset(plainly, name) for name in options.scene_preset]
    mood = load_mood(options.mood or DEFAULT_MOOD)

    def presets(timeline: Timeline) -> Sequence[Preset]:
        first = preset or _resolve_preset(options, FAMILIES[telling_character(timeline)])
        return (first, *others)

    return plan_film(song, options, presets, mood=mood)


def plan_film(
    song: Path,
    options: RenderOptions,
    presets: Callable[[Timeline], Sequence[Preset]],
    *,
    mood: Mood,
    offset: Sequence[float] | None = None,
) -> tuple[RenderPlan, Timeline]:
    """Hear a song and plan its film in presets that are resolved.

    Parameters
    ----------
    presets
        Gives the film's preset, and after it those that its scenes take in turn.
    mood
        The mood that they have taken on already.
    offset
        How far styles lie from the presets' own.

    Raises
    ------
    InputError
        If song or options can't be used.
    """
    width, height = options.size()
    choose_device(options.device)
    video = video_settings(options)
    loop = None
    if options.loop is not None:
        timeline, facts, loop = hear_loop(song, options)
    else:
        timeline, facts = hear(
            song,
            start=options.start,
            end=options.end,
            allow_truncated=options.allow_truncated,
            workspace=options.workspace,
            bpm=options.bpm,
            stems=options.stems,
        )
    chosen = presets(timeline)
    if options.alpha:
        check_key(chosen)
    schedule = None
    rule = options.scene_rule(mood.sections.scenes)
    if rule.kind != "off" or offset is not None:
        schedule = plan_schedule(
            timeline,
            chosen,
            rule,
            markers=_markers(options, facts),
            transition=options.transition,
            offset=offset,
        )
    plan = RenderPlan(
        song=facts,
        preset=chosen[0],
        schedule=schedule,
        options=options,
        size=Size(width, height),
        frame_rate=options.fps,
        frames=Clock(options.fps).frames_for(facts.samples, facts.sample_rate),
        video=video,
        timeline_digest=timeline.digest(),
        mood=mood.name,
        titles=film_titles(options.titles, song=facts.path, duration=facts.duration, tags=facts.tags),
        loop=loop,
    )
    return plan, timeline


def _markers(options: RenderOptions, facts: SongFacts) -> list[float]:
    """Give the markers, which count in the song, in the part of it that is used."""
    start = options.start or Fraction(0)
    for marker in options.marker:
        if marker >= start + facts.duration:
            raise ConfigError(
                f"the marker at {format_duration(marker)} lies beyond the end of {facts.path.name} "
                f"({format_duration(start + facts.duration)}); correct or remove it"
            )
    return [float(marker - start) for marker in options.marker if marker > start]


def _resolve_preset(options: RenderOptions, name: str) -> Preset:
    changes = list(options.set)
    if options.seed is not None:
        changes.append(f"seed={options.seed}")
    preset = load_preset(name, assignments=changes, mood=load_mood(options.mood or DEFAULT_MOOD))
    if options.generator is not None and preset.generator != options.generator:
        raise ConfigError(
            f"preset {preset.name} is for the generator {preset.generator}, not {options.generator}; "
            "drop --generator or choose another preset"
        )
    if options.style_image is not None:
        preset = _in_style_of(options.style_image, preset, options.workspace)
    check_preset(preset)
    if options.lut is not None:
        lut = digested_lut(Lut(file=options.lut.name), options.lut, where="--lut")
        preset = with_lut(preset, lut)
    return preset


def _in_style_of(given: Path, preset: Preset, workspace: Path) -> Preset:
    if preset.generator != "diffusion":
        raise ConfigError(
            f"preset {preset.name} is of the generator {preset.generator}, and only diffusion takes its "
            "style from a picture; drop --style-image, or choose another preset"
        )
    return with_style_image(preset, given_style(given, workspace))
