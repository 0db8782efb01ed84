"""Make one film in its locked run folder: score, Segments, sound, stitch, previews, manifest."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from synesthete.audio.timeline import Timeline
from synesthete.clock import Clock
from synesthete.errors import RenderError
from synesthete.files import digest_file, make_folder, whole_file, write_json
from synesthete.media.mux import stitch
from synesthete.media.palette import draw_gif
from synesthete.media.webp import draw_webp
from synesthete.render.certify import certificate_of, certify_film, certify_segments
from synesthete.render.effort import choose_workers
from synesthete.render.film_sound import film_sound
from synesthete.render.flash_guard import FlashGuard, demands_in
from synesthete.render.frames import claim_frames, frame_file
from synesthete.render.loop_plan import one_round
from synesthete.render.manifest import manifest, with_other_sound
from synesthete.render.plan import RenderPlan, Segment, cut_segments
from synesthete.render.preview import LAST_PREVIEW, write_previews
from synesthete.render.run import RunFolder, StoredPart
from synesthete.render.score import Score, score_film
from synesthete.render.segments import Interrupted, SegmentJob, SegmentRenderer
from synesthete.render.threads import interruptible, single_threaded

__all__ = ["Event", "FilmMaker"]

Event = dict[str, Any]
_PROGRESS_SECONDS = 0.25


class FilmMaker:
    """Makes the film of one plan.

    Parameters
    ----------
    plan, timeline
        What to render, and what was heard; of a loop, around it too.
    folder
        The run's folder, opened.
    on_event
        Receives ``progress`` events.
    previews
        Whether to draw previews too.

    Attributes
    ----------
    certificate
        What was measured on the film, once it is made, if that is wanted.
    """

    def __init__(
        self,
        plan: RenderPlan,
        timeline: Timeline,
        folder: RunFolder,
        on_event: Callable[[Event], None],
        *,
        previews: bool = True,
    ) -> None:
        self._previews = previews
        self._plan = plan
        self._heard = timeline
        self._timeline = timeline if plan.loop is None else one_round(timeline, plan.loop)
        self._folder = folder
        self._on_event = on_event
        self._segments = cut_segments(plan.frames, plan.frame_rate, seconds=plan.segment_seconds)
        self._seconds: dict[str, float] = {}
        self.certificate: dict[str, Any] | None = None

    def recognise(self, film_sha256: str) -> int:
        """Take a finished film as it is; make only what is missing: PNG frames, previews, the certificate."""
        self._claim_frames()
        finished = self._folder.finished() or {}
        if self._plan.options.certificate:
            self.certificate = certificate_of(self._folder, film_sha256) or interruptible(
                lambda: certify_film(
                    self._plan,
                    self._timeline,
                    self._folder,
                    film_sha256=film_sha256,
                    limiter=finished.get("flash_safety"),
                )
            )
        missing = [segment for segment in self._segments if self._lacks_png(segment)]
        undrawn = self._previews and not (self._folder.previews / LAST_PREVIEW).is_file()
        if missing or undrawn:
            folder = self._plan.options.frames
            jobs = [SegmentJob(s, "", film=False, frames_folder=folder) for s in missing]
            with single_threaded():
                score = self._score()
                guard = FlashGuard(self._plan, self._folder, self._segments, demands_in(finished))
                score = self._limit(score, guard)
                if jobs:
                    self._render(jobs, score)
                if undrawn:
                    self._add_previews(score)
        self._folder.clear_work()
        return len(self._segments)

    def remux(self, finished: Mapping[str, Any]) -> None:
        """Give a finished film another sound, other tags or another cover; its pictures are copied.

        Parameters
        ----------
        finished
            The film's manifest.
        """
        plan, folder = self._plan, self._folder
        make_folder(folder.work)
        sound = interruptible(lambda: film_sound(plan, folder, threading.Event()))
        self._stitch([(folder.film, plan.frames)], sound)
        sha256 = digest_file(folder.film)
        film = {"sha256": sha256, "bytes": folder.film.stat().st_size}
        write_json(folder.manifest, with_other_sound(finished, plan, sound=sound, film=film))
        self.recognise(sha256)

    def make(self) -> int:
        """Render what is missing and finish the film.

        Returns
        -------
        The number of Segments that were finished before.
        """
        with single_threaded():
            return self._make()

    def _make(self) -> int:
        plan, folder = self._plan, self._folder
        make_folder(folder.work)
        self._claim_frames()
        with self._timed("score"):
            score = self._score()
            trajectory = score.trajectory.digest()
        guard = FlashGuard(plan, folder, self._segments)
        if guard.limits:
            self._on_event({"event": "flash-safety", "frames": plan.frames})
        limited, keys = self._limit(score, guard), guard.keys(trajectory, score.numeric_path)
        jobs = self._jobs(keys, guard, {})
        done = {job.segment: job for job in jobs}
        stages, sound, previews = self._render_all(jobs, limited)
        while guard.asks_for_more(parts := self._parts(keys)):
            limited, keys = self._limit(score, guard), guard.keys(trajectory, score.numeric_path)
            jobs = self._jobs(keys, guard, done)
            done |= {job.segment: job for job in jobs}
            with self._timed("segments again"):
                self._render(jobs, limited)
            previews = self._draw_previews(limited, threading.Event())
        rendered = {(job.segment, job.key) for job in done.values() if job.film}
        resumed = [pair not in rendered for pair in zip(self._segments, keys, strict=True)]
        with self._timed("stitch"):
            self._stitch(
                [(part.path, segment.frames) for part, segment in zip(parts, self._segments, strict=True)],
                sound,
            )
        film_sha256 = digest_file(folder.film)
        if plan.options.certificate:
            with self._timed("certificate"):
                seen = list(zip(self._segments, parts, strict=True))
                self.certificate = interruptible(
                    lambda: certify_segments(
                        plan, self._timeline, folder, seen, film_sha256=film_sha256, limiter=guard.facts()
                    )
                )
        write_json(
            folder.manifest,
            manifest(
                plan,
                numeric_path=score.numeric_path,
                eager_because=score.fallback,
                trajectory=trajectory,
                parts=list(zip(self._segments, parts, resumed, strict=True)),
                sound=sound,
                film={"sha256": film_sha256, "bytes": folder.film.stat().st_size},
                previews=[str(path.relative_to(folder.path)) for path in previews],
                seconds={**self._seconds, **{f"threads.{k}": v for k, v in stages.items()}},
                flash_safety=guard.facts(),
            ),
        )
        folder.clear_work()
        return sum(resumed)

    def _limit(self, score: Score, guard: FlashGuard) -> Score:
        with self._timed("flash safety"):
            painter = guard.limited(score.painter, score.trajectory, score.numeric_path)
        return replace(score, painter=painter)

    def _jobs(
        self, keys: Sequence[str], guard: FlashGuard, done: Mapping[Segment, SegmentJob]
    ) -> list[SegmentJob]:
        """Give what is to be rendered: Segments that aren't there, PNG frames that aren't or are outdated.

        Parameters
        ----------
        done
            What this process has rendered already.
        """
        options, jobs = self._plan.options, []
        for segment, key in zip(self._segments, keys, strict=True):
            part = self._folder.stored(self._folder.segment_path(segment, key), key)
            outdated = options.frames is not None and segment in done and done[segment].key != key
            if part is None or outdated or self._lacks_png(segment):
                observe = options.certificate or guard.observes
                jobs.append(SegmentJob(segment, key, part is None, options.frames, observe))
        return jobs

    def _stitch(self, parts: Sequence[tuple[Path, int]], sound: StoredPart | None) -> None:
        """Join pictures and sound to the film."""
        plan = self._plan
        with whole_file(self._folder.film) as film:
            if plan.video.codec in ("gif", "webp"):
                draw = draw_gif if plan.video.codec == "gif" else draw_webp
                draw([path for path, _ in parts], film, frame_rate=plan.frame_rate, settings=plan.video)
                return
            stitch(
                parts,
                None if sound is None else sound.path,
                film,
                frame_rate=plan.frame_rate,
                tags=plan.film_tags(),
                cover=plan.cover,
                kind=plan.video.coding.film,
            )

    def _score(self) -> Score:
        def tell() -> None:
            self._on_event({"event": "compile"})

        return score_film(self._plan, self._heard, self._timeline, self._folder.work, on_compile=tell)

    def _render_all(
        self, jobs: Sequence[SegmentJob], score: Score
    ) -> tuple[dict[str, float], StoredPart | None, list[Path]]:
        """Render the Segments; a thread beside them encodes the sound and draws the previews."""
        stop = threading.Event()
        outcome: list[tuple[StoredPart | None, list[Path]] | BaseException] = []

        def beside() -> None:
            try:
                sound = film_sound(self._plan, self._folder, stop)
                outcome.append((sound, self._draw_previews(score, stop)))
            except BaseException as error:  # carried to the thread that waits
                outcome.append(error)
                stop.set()  # without its sound there is no film

        thread = threading.Thread(target=beside, name="sound-and-previews")
        thread.start()
        try:
            with self._timed("segments"):
                stages = self._render(jobs, score, stop)
            while thread.is_alive():
                thread.join(_PROGRESS_SECONDS)
        except Interrupted:
            thread.join()
            if isinstance(outcome[0], Exception) and not isinstance(outcome[0], Interrupted):
                raise outcome[0] from None
            raise
        except BaseException:
            stop.set()
            raise
        finally:
            thread.join()
        if isinstance(outcome[0], BaseException):
            raise outcome[0]
        return stages, *outcome[0]

    def _add_previews(self, score: Score) -> None:
        """Draw the previews of a film that was made without, and tell its manifest."""
        drawn = self._draw_previews(score, threading.Event())
        values = json.loads(self._folder.manifest.read_text())
        values["previews"] = [str(path.relative_to(self._folder.path)) for path in drawn]
        write_json(self._folder.manifest, values)

    def _draw_previews(self, score: Score, stop: threading.Event) -> list[Path]:
        if not self._previews:
            return []

        def check() -> None:
            if stop.is_set():
                raise Interrupted

        torch.set_num_threads(1)  # counts per thread
        with self._timed("previews"):
            return write_previews(
                self._folder.previews,
                score.trajectory,
                score.painter,
                self._plan.size,
                self._plan.frame_rate,
                frames=self._plan.frames,
                title=f"{self._plan.song.path.stem} · {self._plan.preset.name}",
                loudest=self._loudest_frame(),
                check=check,
            )

    def _render(
        self, jobs: Sequence[SegmentJob], score: Score, stop: threading.Event | None = None
    ) -> dict[str, float]:
        total = self._plan.frames
        ready = total - sum(job.segment.frames for job in jobs)
        done, last, lock = 0, time.monotonic(), threading.Lock()

        def count(segment: Segment) -> None:
            nonlocal done, last
            with lock:
                done += 1
                now = time.monotonic()
                if now - last < _PROGRESS_SECONDS and ready + done < total:
                    return
                last = now
                # Under the lock: events come in order, and lines are not mixed.
                self._on_event({"event": "progress", "frames": ready + done, "of": total, "rendered": done})

        renderer = SegmentRenderer(
            self._plan, score.trajectory, score.painter, self._folder, score.quantiser, count, stop
        )
        renderer.run(jobs, choose_workers(self._plan.options, len(jobs)))
        return renderer.stage_seconds

    def _parts(self, keys: Sequence[str]) -> list[StoredPart]:
        return [self._part(segment, key) for segment, key in zip(self._segments, keys, strict=True)]

    def _part(self, segment: Segment, key: str) -> StoredPart:
        part = self._folder.stored(self._folder.segment_path(segment, key), key)
        if part is None:
            raise RenderError(
                f"segment {segment.index} of {self._folder.path} is damaged; repeat the command"
            )
        return part

    def _claim_frames(self) -> None:
        if self._plan.options.frames is not None:
            claim_frames(self._plan.options.frames, self._plan.run_id, self._plan.frames)

    def _lacks_png(self, segment: Segment) -> bool:
        folder = self._plan.options.frames
        if folder is None:
            return False
        return not all(frame_file(folder, i).is_file() for i in range(segment.start, segment.stop))

    def _loudest_frame(self) -> int:
        loudness = self._timeline.column("loudness")
        moment = int(np.argmax(loudness)) / 100
        return min(Clock(self._plan.frame_rate).frame_at(moment), self._plan.frames - 1)

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self._seconds[stage] = time.perf_counter() - started
