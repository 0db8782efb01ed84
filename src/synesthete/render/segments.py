"""Render Segments side by side: draw, convert and encode at once, in bounded memory.

Each worker takes the next Segment and runs two threads on it: one draws and quantises frames, the other
encodes them; a short queue lies between. torch and x264 leave Python's lock while they work. Every thread
computes single-threaded, so that a frame does not depend on how many there are.
"""

import contextlib
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from synesthete.evaluation.observe import Observer
from synesthete.files import whole_file
from synesthete.generators.base import Painter, Trajectory
from synesthete.generators.quantise import Quantiser
from synesthete.media.encode import SegmentWriter
from synesthete.media.images import write_png
from synesthete.render.frames import frame_file
from synesthete.render.memory import Trimmer
from synesthete.render.plan import RenderPlan, Segment
from synesthete.render.run import RunFolder, seen_path

__all__ = ["Interrupted", "SegmentJob", "SegmentRenderer"]

_QUEUED_FRAMES = 3
_POLL_SECONDS = 0.1


class Interrupted(Exception):  # noqa: N818 - not an error: somebody asked the workers to stop
    """The render was asked to stop."""


@dataclass(frozen=True)
class SegmentJob:
    """A Segment to render, its key, whether film and PNG frames are wanted, and whether to watch them."""

    segment: Segment
    key: str
    film: bool = True
    frames_folder: Path | None = None
    observe: bool = False


@dataclass(frozen=True)
class _Picture:
    index: int
    film: np.ndarray | None
    seen: np.ndarray | None
    rgb: np.ndarray | None


class _Pipe:
    """A short queue between the thread that draws and the one that encodes; either end can break it."""

    def __init__(self, stop: threading.Event) -> None:
        self._items: queue.Queue[_Picture | BaseException | None] = queue.Queue(_QUEUED_FRAMES)
        self._broken = threading.Event()
        self._stop = stop

    def put(self, item: _Picture | BaseException | None) -> None:
        """Hand an item over; None ends, an error is raised at the other end."""
        while not self._broken.is_set():
            try:
                return self._items.put(item, timeout=_POLL_SECONDS)
            except queue.Full:
                continue
        raise Interrupted

    def take(self) -> Iterator[_Picture]:
        """Receive pictures until the other end closes."""
        while True:
            try:
                item = self._items.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                if self._stop.is_set():
                    raise Interrupted from None
                continue
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            if self._stop.is_set():
                raise Interrupted
            yield item

    def break_off(self) -> None:
        """Let a waiting `put` fail."""
        self._broken.set()


class SegmentRenderer:
    """Renders the Segments of one film.

    Parameters
    ----------
    plan, trajectory, painter, folder
        What to render, and where to.
    quantiser
        Turns float frames into bytes.
    on_frame
        Called with the Segment after each encoded frame, from a worker's thread.
    stop
        Shared with others who may ask the workers to stop.
    """

    def __init__(
        self,
        plan: RenderPlan,
        trajectory: Trajectory,
        painter: Painter,
        folder: RunFolder,
        quantiser: Quantiser,
        on_frame: Callable[[Segment], None] = lambda segment: None,
        stop: threading.Event | None = None,
    ) -> None:
        self._plan = plan
        self._trajectory = trajectory
        self._painter = painter
        self._folder = folder
        self._quantiser = quantiser
        self._on_frame = on_frame
        self._stop = threading.Event() if stop is None else stop
        self._times: defaultdict[str, float] = defaultdict(float)
        self._times_lock = threading.Lock()
        self._trimmer = Trimmer()

    @property
    def stage_seconds(self) -> dict[str, float]:
        """Give the seconds spent in each stage, added up over all threads."""
        return dict(self._times)

    def stop(self) -> None:
        """Ask the workers to stop; what is half-written is removed."""
        self._stop.set()

    def run(self, jobs: Sequence[SegmentJob], workers: int) -> None:
        """Render all jobs.

        Raises
        ------
        SynestheteError
            The first failure of a worker; the others stop.
        """
        waiting: queue.SimpleQueue[SegmentJob] = queue.SimpleQueue()
        for job in jobs:
            waiting.put(job)
        failures: list[BaseException] = []

        def work() -> None:
            try:
                while not self._stop.is_set():
                    self._render(waiting.get_nowait())
                    self._trimmer.trim()
            except queue.Empty:
                pass
            except BaseException as error:
                failures.append(error)
                self._stop.set()

        threads = [threading.Thread(target=work, name=f"segment-{i}") for i in range(min(workers, len(jobs)))]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                while thread.is_alive():  # join without a timeout would hold Ctrl-C back
                    thread.join(_POLL_SECONDS)
        except BaseException:
            self._stop.set()
            raise
        finally:
            for thread in threads:
                thread.join()
        real = [error for error in failures if not isinstance(error, Interrupted)]
        if real:
            raise real[0]
        if failures or (self._stop.is_set() and not waiting.empty()):
            raise Interrupted

    def _render(self, job: SegmentJob) -> None:
        started = time.perf_counter()
        pipe = _Pipe(self._stop)
        artist = threading.Thread(target=self._draw, args=(job, pipe), name=f"draw-{job.segment.index}")
        artist.start()
        try:
            if job.film:
                path = self._folder.segment_path(job.segment, job.key)
                observer = Observer(self._plan.size, self._plan.frame_rate, job.segment.start)
                with whole_file(path) as part:
                    self._encode(job, pipe, part, observer)
                if job.observe:
                    observer.stretch().save(seen_path(path))
                seconds = round(time.perf_counter() - started, 3)
                self._folder.store(path, job.key, frames=job.segment.frames, seconds=seconds)
            else:
                for picture in pipe.take():
                    self._keep_png(job, picture)
                    self._on_frame(job.segment)
        finally:
            pipe.break_off()
            artist.join()

    def _draw(self, job: SegmentJob, pipe: _Pipe) -> None:
        """Draw and quantise a Segment's frames; runs in a thread of its own."""
        segment = job.segment
        try:
            torch.set_num_threads(1)
            frames = self._painter.frames(self._trajectory, segment.start, segment.stop, self._plan.size)
            for index in range(segment.start, segment.stop):
                with self._timed("draw"):
                    rgb = next(frames).cpu()
                with self._timed("convert"):
                    film = self._quantiser.picture(rgb) if job.film else None
                    seen = self._seen(job, rgb, film)
                    picture = self._quantiser.rgb8(rgb).numpy() if job.frames_folder else None
                pipe.put(_Picture(index, film, seen, picture))
            pipe.put(None)
        except Interrupted:
            pass
        except BaseException as error:
            with contextlib.suppress(Interrupted):
                pipe.put(error)

    def _seen(self, job: SegmentJob, rgb: torch.Tensor, film: np.ndarray | None) -> np.ndarray | None:
        """Give what the observer sees: the film's own planes where they are of its kind."""
        if not (job.film and job.observe):
            return None
        return film if self._quantiser.plain else self._quantiser.yuv420(rgb).numpy()

    def _encode(self, job: SegmentJob, pipe: _Pipe, part: Path, observer: Observer) -> None:
        plan = self._plan
        writer = SegmentWriter(
            part,
            width=plan.size.width,
            height=plan.size.height,
            frame_rate=plan.frame_rate,
            settings=plan.video,
        )
        with writer:
            for picture in pipe.take():
                self._keep_png(job, picture)
                assert picture.film is not None
                with self._timed("encode"):
                    writer.write(picture.film)
                if picture.seen is not None:
                    with self._timed("observe"):
                        observer.see(picture.seen)
                self._on_frame(job.segment)

    def _keep_png(self, job: SegmentJob, picture: _Picture) -> None:
        if job.frames_folder is not None and picture.rgb is not None:
            with self._timed("png"):
                write_png(frame_file(job.frames_folder, picture.index), picture.rgb)

    @contextlib.contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        with self._times_lock:
            self._times[stage] += time.perf_counter() - started
