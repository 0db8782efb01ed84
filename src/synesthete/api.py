"""Synesthete in Python: the same options as on the command line, as keyword arguments."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from synesthete.audio.timeline import Timeline
from synesthete.config.analyse import AnalyseOptions
from synesthete.config.base import build
from synesthete.config.evaluate import EvaluateOptions
from synesthete.config.render import RenderOptions
from synesthete.evaluation.certificate import Certificate
from synesthete.render.evaluate import evaluate_film
from synesthete.render.listen import hear
from synesthete.render.pipeline import Film, render_song

__all__ = ["analyse", "evaluate", "render"]


def render(
    song: str | Path,
    output: str | Path | None = None,
    *,
    on_event: Callable[[dict[str, Any]], None] = lambda event: None,
    **options: Any,
) -> Film:
    """Render a song to a film that moves because of it.

    Repeating the call resumes what was interrupted and recognises what is finished.

    Parameters
    ----------
    song
        Any sound file that FFmpeg decodes, or a film with sound.
    output
        Where to copy the film to; its suffix may choose the codec (``.mp4``, ``.mov``, ``.webm``, ``.gif``,
        ``.webp``). The run folder below the workspace always keeps its own.
    on_event
        Receives what ``--json`` prints: ``plan``, ``progress`` and ``done``.
    **options
        Any field of `synesthete.config.render.RenderOptions`: ``preset``, ``mood``, ``seed``, ``resolution``,
        ``aspect``, ``fps``, ``start``, ``end``, ``crf``, ``speed``, ``device``, ``workers``,
        ``codec``, ``bit_depth``, ``alpha``, ``workspace``, ``frames``, ``preview``, ``force``, ``set``, …

    Returns
    -------
    Where film and run folder are, and how many frames there are.

    Raises
    ------
    InputError
        If the song, an option or a place can't be used; says what, the limit and the remedy.
    SynestheteError
        If rendering fails; repeat the call to resume.

    Examples
    --------
    >>> import synesthete
    >>> film = synesthete.render("song.ogg", "film.mp4", preset="silk", fps=60)  # doctest: +SKIP
    """
    resolved = build(RenderOptions, options, where="options")
    target = None if output is None else Path(output)
    return render_song(Path(song), resolved, output=target, on_event=on_event)


def analyse(
    song: str | Path,
    *,
    start: str | float | Fraction | None = None,
    end: str | float | Fraction | None = None,
    bpm: float | None = None,
    stems: str | Path | None = None,
    allow_truncated: bool = False,
    workspace: str | Path = ".",
) -> Timeline:
    """Listen to a song and write down what was heard, 100 rows a second.

    Parameters
    ----------
    song
        Any sound file that FFmpeg decodes, or a film with sound.
    start, end
        The part to analyse: seconds, or ``"m:ss"``.
    bpm
        The tempo, where it is known, 50 to 225 beats per minute.
    stems
        A folder with drums, bass, vocals or other as files of their own.
    allow_truncated
        Use what can be decoded of a damaged file.
    workspace
        The result is cached in its ``cache/``.

    Returns
    -------
    Named columns at 100 Hz; ``at_frames(frame_rate)`` gives them on a film's clock, and ``music`` holds
    beats, key and sections.

    Raises
    ------
    InputError
        If the song, a stem or an option can't be used.
    """
    options = build(
        AnalyseOptions,
        {
            "start": start, "end": end, "bpm": bpm, "stems": stems, "workspace": workspace,
            "allow_truncated": allow_truncated,
        },
        where="options",
    )  # fmt: skip
    timeline, _ = hear(
        Path(song),
        start=options.start,
        end=options.end,
        allow_truncated=options.allow_truncated,
        workspace=options.workspace,
        bpm=options.bpm,
        stems=options.stems,
    )
    return timeline


def evaluate(
    film: str | Path,
    *,
    audio: str | Path | None = None,
    against: Sequence[str | Path] = (),
    full: bool = False,
    allow_truncated: bool = False,
    workspace: str | Path = ".",
) -> Certificate:
    """Measure a film, ours or not: sync against its nulls, lag, silence, flicker, look, safety, integrity.

    Parameters
    ----------
    film
        Any film that FFmpeg decodes.
    audio
        The song to measure it against; by default the film's own sound.
    against
        Other songs, that join the bank of songs that ships.
    full
        Measure AV-Align and beat alignment too; needs OpenCV (``pip install 'synesthete[evaluate]'``).
    allow_truncated
        Use what can be decoded of a damaged sound.
    workspace
        Timelines are cached in its ``cache/``.

    Returns
    -------
    ``values`` are those of ``certificate.json``; ``write(folder)`` writes it and the page.

    Raises
    ------
    InputError
        If the film, a song or an option can't be used.

    Examples
    --------
    >>> import synesthete
    >>> synesthete.evaluate("film.mp4").values["sync"]["effect"]  # doctest: +SKIP
    0.42
    """
    options = build(
        EvaluateOptions,
        {
            "audio": audio, "against": tuple(against), "full": full, "workspace": workspace,
            "allow_truncated": allow_truncated,
        },
        where="options",
    )  # fmt: skip
    return evaluate_film(Path(film), options)
