"""Render an album: a film for each track, then one album film of their pictures and one sound.

::

    OUTPUT_ROOT/
      album.mp4       the album film
      album.html      the page that links everything
      meta.json       the album's manifest, written last
      log.jsonl       what happened, a line each
      TRACK_ID/       a run folder for each track: film.mp4, meta.json, previews/, certificate.*
"""

import contextlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TextIO

from synesthete.config.album_file import AlbumFiles
from synesthete.config.inside import place_inside
from synesthete.errors import ConfigError, InputError, RenderError, SynestheteError
from synesthete.files import (
    code_digest,
    digest_json,
    locked,
    make_folder,
    slug,
    sweep_parts,
    write_json,
    writing_to,
)
from synesthete.media.gain import Gain, find_gain
from synesthete.media.sound import Sound
from synesthete.render.album_join import ALBUM_CHANNELS, forget_album, join_album, joined_before
from synesthete.render.album_page import write_album_page
from synesthete.render.album_tracks import AlbumRun, PlannedTrack, album_title, plan_track
from synesthete.render.film import Event, FilmMaker
from synesthete.render.listen import song_chunks
from synesthete.render.run import RunFolder

__all__ = ["AlbumFilm", "plan_album", "render_album"]

_LOG = "log.jsonl"
_LOGGED = ("plan", "track", "gain", "failed", "joined", "done")


@dataclass(frozen=True)
class AlbumFilm:
    """A finished album.

    Attributes
    ----------
    folder
        Where everything lies.
    film
        The album film; None if only some tracks were asked for, and others are still missing, or are not as
        in the album film that was there.
    tracks
        The film of each track that was asked for, by id.
    rendered, recognised
        Which of them were rendered now, and of which the pictures were finished already.
    unheard
        Why other tracks, that were not asked for, can't be used, by id.
    """

    folder: Path
    film: Path | None
    tracks: dict[str, Path]
    rendered: tuple[str, ...]
    recognised: tuple[str, ...]
    unheard: dict[str, str]


def plan_album(files: AlbumFiles, run: AlbumRun) -> list[dict[str, Any]]:
    """Plan every track that is asked for, and give the plans as JSON; nothing is rendered.

    Raises
    ------
    InputError
        If some can't be used; it names all of them.
    """
    wanted = _wanted(files, run)
    plans: list[dict[str, Any]] = []
    failures: dict[str, SynestheteError] = {}
    for index, track in enumerate(files.album.tracks):
        if track.id not in wanted:
            continue
        try:
            summary = plan_track(files, index, run).plan.summary()
            plans.append({"track": track.id, **summary, "run_id": track.id})
        except SynestheteError as error:
            failures[track.id] = error
    if failures:
        raise _told_as_one(failures, [], _root(files))
    return plans


def render_album(
    files: AlbumFiles, run: AlbumRun, *, on_event: Callable[[Event], None] = lambda event: None
) -> AlbumFilm:
    """Render an album; repeating the call resumes, or recognises what is finished.

    A track that fails is reported and does not lose the others; then there is no album film. One that was
    not asked for is only reported.

    Parameters
    ----------
    on_event
        Receives ``plan`` and ``progress`` of each track, ``gain``, ``track``, ``failed``, ``joined`` and
        ``done`` as JSON-ready mappings.

    Raises
    ------
    InputError
        If the album, or one of its tracks, can't be used; the other tracks are finished.
    BusyError
        If another process renders this album.
    RenderError
        If rendering a track failed half-way; the other tracks are finished.
    """
    wanted = _wanted(files, run)
    root = _root(files)
    make_folder(root)
    with locked(root, doing="is rendering the album in"), _opened_log(root / _LOG) as log:
        sweep_parts(root)

        def tell(event: Event) -> None:
            if event["event"] in _LOGGED:
                stamp = time.strftime("%Y-%m-%dT%H:%M:%S")
                print(json.dumps({"time": stamp, **event}, ensure_ascii=True), file=log, flush=True)
            on_event(event)

        return _Maker(files, run, root, wanted, tell).make()


class _Maker:
    """Renders one album whose folder is locked."""

    def __init__(
        self,
        files: AlbumFiles,
        run: AlbumRun,
        root: Path,
        wanted: Sequence[str],
        tell: Callable[[Event], None],
    ) -> None:
        self._files, self._run, self._root, self._wanted, self._tell = files, run, root, wanted, tell
        self._failures: dict[str, SynestheteError] = {}

    def make(self) -> AlbumFilm:
        started = time.perf_counter()
        planned = self._plan()
        gain = (self._earlier_gain(planned) if self._failures else None) or self._gain(planned)
        planned = [replace(p, plan=replace(p.plan, gain=gain)) for p in planned]
        if joined_before(self._root, planned) is None:
            forget_album(self._root)
        rendered: list[str] = []
        recognised: list[str] = []
        for one in planned:
            if one.track.id not in self._wanted:
                continue
            try:
                fresh = self._render(one)
            except SynestheteError as error:
                self._fail(one.track.id, error)
                continue
            (rendered if fresh else recognised).append(one.track.id)
        film = joined_before(self._root, planned)
        whole = len(planned) == len(self._files.album.tracks)
        current = {one.track.id for one in planned if self._is_current(one)}
        if not self._failures and whole and len(current) == len(planned):
            folders = [self._folder(one.track.id) for one in planned]
            sounds = [self._sound(one) for one in planned]
            film, fresh = join_album(self._files, planned, folders, sounds, self._root)
            if fresh:
                self._tell({"event": "joined", "film": str(film), "tracks": len(planned)})
        write_album_page(
            self._root, self._files, planned, film=film, current=current, failures=self._failures
        )
        failed = {name: error for name, error in self._failures.items() if name in self._wanted}
        if failed:
            raise _told_as_one(failed, [*rendered, *recognised], self._root)
        result = AlbumFilm(
            folder=self._root,
            film=film,
            tracks={name: self._folder(name).film for name in (*rendered, *recognised)},
            rendered=tuple(rendered),
            recognised=tuple(recognised),
            unheard={name: str(error) for name, error in self._failures.items()},
        )
        self._tell(
            {
                "event": "done",
                "film": None if film is None else str(film),
                "run": str(self._root),
                "rendered": rendered,
                "recognised": recognised,
                "seconds": round(time.perf_counter() - started, 3),
            }
        )
        return result

    def _plan(self) -> list[PlannedTrack]:
        """Hear and plan all tracks, for the gain is that of all of them."""
        planned = []
        for index, track in enumerate(self._files.album.tracks):
            try:
                planned.append(plan_track(self._files, index, self._run))
            except SynestheteError as error:
                self._fail(track.id, error)
        if not {one.track.id for one in planned} & set(self._wanted):
            # Nothing is touched: it may be a slip of the command line.
            raise _told_as_one(self._failures, [], self._root)
        return planned

    def _gain(self, planned: Sequence[PlannedTrack]) -> Gain | None:
        """Find the album's one gain, or find it again: it takes as long as decoding all tracks."""
        audio = self._files.album.audio
        if audio.normalization is None:
            return None
        key = digest_json([[p.plan.song.identity() for p in planned], audio.model_dump(), code_digest()])
        path = self._files.folder / "cache" / "gains" / f"{key[:24]}.json"
        with contextlib.suppress(OSError, ValueError, TypeError):
            return Gain(**json.loads(path.read_text()))
        gain = find_gain(
            *(self._sound(one) for one in planned),
            target_lufs=audio.normalization,
            limiter=audio.limiter,
        )
        write_json(path, asdict(gain))
        self._tell({"event": "gain", **asdict(gain)})
        return gain

    def _earlier_gain(self, planned: Sequence[PlannedTrack]) -> Gain | None:
        """Give the gain of finished films: while a track can't be heard, they are not to change for it."""
        for one in planned:
            finished = self._folder(one.track.id).finished() or {}
            with contextlib.suppress(KeyError, TypeError):
                gain = Gain(**finished["sound"]["loudness"])
                same = finished["inputs"] == digest_json(replace(one.plan, gain=gain).inputs())
                if same and gain.target_lufs == self._files.album.audio.normalization:
                    return gain
        return None

    def _sound(self, one: PlannedTrack) -> Sound:
        """Give a track's sound as the album has it."""
        facts = one.plan.song
        sound = Sound(
            lambda: song_chunks(facts, allow_truncated=one.plan.options.allow_truncated, loop=one.plan.loop),
            facts.sample_rate,
            facts.channels,
        )
        return sound.adapted(self._files.album.audio.sample_rate, ALBUM_CHANNELS)

    def _render(self, one: PlannedTrack) -> bool:
        """Render a track's film, or recognise it, or its pictures; tell whether it was rendered."""
        folder = self._folder(one.track.id)
        plan = one.plan
        if self._run.keep_frames:
            frames = folder.path / "frames"
            make_folder(frames)
            plan = replace(plan, options=plan.options.model_copy(update={"frames": frames}))
        self._tell({"event": "plan", "track": one.track.id, **plan.summary()})
        for message in () if plan.titles is None else plan.titles.warnings:
            self._tell({"event": "warning", "track": one.track.id, "message": message})
        with folder.opened():
            if self._run.force:
                folder.clear()
            finished = folder.finished()
            maker = FilmMaker(plan, one.timeline, folder, self._tell, previews=self._run.previews)
            seen = finished is not None and finished.get("picture") == digest_json(plan.picture_inputs())
            if finished is None or not seen:
                if finished is not None:
                    folder.clear()  # it is another film's
                maker.make()
            elif finished.get("inputs") == digest_json(plan.inputs()):
                maker.recognise(finished["film"]["sha256"])
            else:
                maker.remux(finished)
        self._tell({"event": "track", "track": one.track.id, "film": str(folder.film), "rendered": not seen})
        return not seen

    def _is_current(self, one: PlannedTrack) -> bool:
        finished = self._folder(one.track.id).finished()
        return finished is not None and finished.get("inputs") == digest_json(one.plan.inputs())

    def _folder(self, track_id: str) -> RunFolder:
        return RunFolder(self._root / track_id)

    def _fail(self, track_id: str, error: SynestheteError) -> None:
        self._failures[track_id] = error
        self._tell({"event": "failed", "track": track_id, "message": str(error)})


def _wanted(files: AlbumFiles, run: AlbumRun) -> Sequence[str]:
    known = [track.id for track in files.album.tracks]
    unknown = [name for name in run.tracks if name not in known]
    if unknown:
        shown = ", ".join(known[:20]) + (", …" if len(known) > 20 else "")
        raise InputError(f"--track {unknown[0][:60]}: the album has no such track; it has {shown}")
    return [name for name in known if name in run.tracks] if run.tracks else known


def _root(files: AlbumFiles) -> Path:
    title = album_title(files)
    run = slug(title)
    if run == "untitled":  # a title in other letters
        run = f"album-{digest_json(title)[:8]}"
    if files.name:  # one of several looks of the same album
        run = f"{run}-{slug(files.name)}"
    name = files.album.output_root or f"renders/{run}"
    root = place_inside(files.folder, name, where="output_root")
    parts = root.resolve().relative_to(files.folder.resolve()).parts
    if not parts or parts[0] == "cache":
        raise ConfigError(
            f"output_root = {name[:60]!r} holds other things; name a folder such as renders/first"
        )
    for inner in (".lock", _LOG, *(track.id for track in files.album.tracks)):
        place_inside(files.folder, f"{name}/{inner}", where="output_root")  # no link leads out of it
    return root


def _opened_log(path: Path) -> TextIO:
    with writing_to(path):
        return path.open("a", encoding="utf-8")


def _told_as_one(
    failures: dict[str, SynestheteError], finished: Sequence[str], root: Path
) -> SynestheteError:
    """Make one error of those of the tracks."""
    names: dict[str, list[str]] = {}
    for name, error in failures.items():
        names.setdefault(str(error), []).append(name)
    told = "; ".join(
        f"{', '.join(of[:3])}{', …' if len(of) > 3 else ''}: {error}" for error, of in list(names.items())[:3]
    )
    more = f" (and {len(names) - 3} more)" if len(names) > 3 else ""
    kind = InputError if all(isinstance(error, InputError) for error in failures.values()) else RenderError
    rest = f"; {len(finished)} finished in {root}" if finished else ""
    plural = "track" if len(failures) == 1 else "tracks"
    return kind(f"{len(failures)} {plural} failed{rest}, no album film was made: {told}{more}")
