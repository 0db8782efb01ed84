"""Guard a film against flashing: watch it small, plan what is done to it, and judge the finished frames."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import torch

from synesthete.clock import Clock
from synesthete.errors import RenderError
from synesthete.evaluation.observe import Observation, Observer, Stretch, join_stretches
from synesthete.evaluation.safety import FlashReport, find_flashes
from synesthete.files import digest_json, make_folder
from synesthete.generators.base import Painter, Size, Trajectory
from synesthete.generators.quantise import Quantiser
from synesthete.render.certify import seen_of
from synesthete.render.effort import choose_workers
from synesthete.render.flash import FlashLimiter, FlashPlan
from synesthete.render.flash_plan import Demand, demands_of, plan_flashes
from synesthete.render.flash_treat import LAST_LEVEL
from synesthete.render.plan import RenderPlan, Segment
from synesthete.render.preview import scaled_size
from synesthete.render.run import RunFolder, StoredPart
from synesthete.render.segments import Interrupted
from synesthete.render.threads import interruptible, single_threaded

__all__ = ["FlashGuard", "demands_in", "flash_line"]

_SHORT: Final = 72
_RUN_SECONDS: Final = 12  # trails and clips warm up over up to three seconds before each
_POLL_SECONDS: Final = 0.1


class FlashGuard:
    """Keeps one film within the limit, as far as its options ask for it.

    Parameters
    ----------
    plan, folder
        Of the film.
    segments
        Its Segments.
    demands
        What the finished film was found to need, if it is known already.
    """

    def __init__(
        self,
        plan: RenderPlan,
        folder: RunFolder,
        segments: Sequence[Segment],
        demands: Iterable[Demand] = (),
    ) -> None:
        self._plan, self._folder, self._segments = plan, folder, segments
        self._mode = plan.options.flash_safety
        self._seen: Observation | None = None
        self._flashes = FlashPlan.untouched(plan.frames, plan.frame_rate)
        self._report: FlashReport | None = None
        self._rounds = 0
        self._demands = list(demands)

    @property
    def limits(self) -> bool:
        """Whether the film is to be limited."""
        return self._mode == "limit"

    @property
    def observes(self) -> bool:
        """Whether finished frames are to be watched."""
        return self._mode != "off"

    def limited(self, painter: Painter, trajectory: Trajectory, numeric_path: str) -> Painter:
        """Put what limits the film behind its painter; nothing where nothing is done.

        The first call watches the film small. Later ones follow what finished frames were found to need.
        """
        if not self.limits:
            return painter
        if self._seen is None:
            whole = Segment(0, 0, self._plan.frames)
            key = self._plan.segment_key(whole, trajectory=trajectory.digest(), numeric_path=numeric_path)
            folder = make_folder(self._folder.work / "flash")
            self._seen = _watch_small(self._plan, painter, trajectory, folder, key)
        seen = self._seen
        with single_threaded():
            self._flashes = interruptible(lambda: plan_flashes(seen, self._demands))
        return FlashLimiter(painter, self._flashes) if self._flashes.touched() else painter

    def keys(self, trajectory: str, numeric_path: str) -> list[str]:
        """Give the Segments' keys: those of untreated ones where nothing is done."""
        return [
            self._plan.segment_key(
                segment,
                trajectory=trajectory,
                numeric_path=numeric_path,
                flash=self._flashes.digest(segment.start, segment.stop),
            )
            for segment in self._segments
        ]

    def asks_for_more(self, parts: Sequence[StoredPart]) -> bool:
        """Judge finished Segments, and say whether they are to be limited more strongly; see `limited`."""
        if not self.observes:
            return False
        plan, scratch = self._plan, self._folder.work / "flash-grid"

        def judged() -> FlashReport:
            seen = seen_of(plan, list(zip(self._segments, parts, strict=True)))
            return find_flashes(
                join_stretches(seen, size=plan.size, frame_rate=plan.frame_rate, scratch=scratch)
            )

        with single_threaded():
            self._report = interruptible(judged)
        self._rounds += 1
        if self._report.passed or not self.limits or self._rounds > LAST_LEVEL + 1:
            return False
        self._demands += demands_of(self._report, plan.frames, Clock(plan.frame_rate), self._rounds)
        return True

    def facts(self) -> dict[str, Any] | None:
        """Say what was found and done, for manifest and certificate; None if nobody asked."""
        if self._report is None:
            return None
        touched = self._flashes.touched()
        seconds = Clock(self._plan.frame_rate).seconds
        return {
            "mode": self._mode,
            "pass": self._report.passed,
            "worst_per_second": self._report.worst_per_second,
            "rounds": self._rounds,
            "touched_s": round(float(seconds(len(touched))), 3),
            "least_gain": round(float(self._flashes.gain.min()), 4),
            "most_red_taken": round(float(self._flashes.red.max()), 4),
            "most_veiled": round(
                max((float(v[3].max()) for v in self._flashes.veils.values()), default=0.0), 4
            ),
            "stretches": _stretches(touched, self._plan),
            "demands": [[demand.start, demand.stop, demand.level] for demand in self._demands],
        }


def demands_in(manifest: Mapping[str, Any]) -> list[Demand]:
    """Give what a film was found to need while it was made."""
    facts = manifest.get("flash_safety") or {}
    return [Demand(*demand) for demand in facts.get("demands", ())]


def flash_line(facts: Mapping[str, Any] | None) -> str | None:
    """Tell people in a line what the limiter found and did; None where there is nothing to tell."""
    if facts is None:
        return None
    if not facts["pass"]:
        worst = facts["worst_per_second"]
        return f"flashes    up to {worst} in a second, 3 are safe: limit them with --flash-safety limit"
    if not facts["touched_s"]:
        return None
    done = [f"light down to {facts['least_gain']:.0%}"] if facts["least_gain"] < 1 else []
    done += [f"up to {facts['most_red_taken']:.0%} of red taken"] if facts["most_red_taken"] else []
    done += [f"veiled up to {facts['most_veiled']:.0%}"] if facts["most_veiled"] else []
    return f"flashes    limited for {facts['touched_s']:.1f} s ({', '.join(done)})"


def _stretches(frames: Sequence[int], plan: RenderPlan) -> list[list[float]]:
    """Join frames to stretches, seconds; gaps under a second don't part them."""
    clock, joined = Clock(plan.frame_rate), list[list[int]]()
    for frame in frames:
        if joined and frame - joined[-1][1] < plan.frame_rate:
            joined[-1][1] = frame + 1
        else:
            joined.append([frame, frame + 1])
    return [[round(float(clock.seconds(f)), 3) for f in stretch] for stretch in joined]


def _watch_small(
    plan: RenderPlan, painter: Painter, trajectory: Trajectory, folder: Path, key: str
) -> Observation:
    """Watch a film at 72 lines, in runs side by side; what was seen stays in a folder while it is made."""
    size = scaled_size(plan.size, _SHORT)
    length = round(_RUN_SECONDS * plan.frame_rate)
    runs = [Segment(i, f, min(f + length, plan.frames)) for i, f in enumerate(range(0, plan.frames, length))]
    stop = threading.Event()

    def watch(run: Segment) -> Path:
        path = folder / f"{run.index:05d}-{digest_json([key, str(size), run.start, run.stop])[:16]}.npz"
        if not _holds(path, run, size):
            torch.set_num_threads(1)
            _watched(plan, painter, trajectory, run, size, stop).save(path)
        return path

    with ThreadPoolExecutor(choose_workers(plan.options, len(runs)), "flash") as pool:
        try:
            waiting = [pool.submit(watch, run) for run in runs]
            while not all(future.done() for future in waiting):  # waiting without end would hold Ctrl-C back
                if any(future.done() and future.exception() for future in waiting):
                    break
                stop.wait(_POLL_SECONDS)
            paths = [future.result() for future in waiting]
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return join_stretches(
        map(Stretch.load, paths), size=size, frame_rate=plan.frame_rate, scratch=folder / "grid"
    )


def _holds(path: Path, run: Segment, size: Size) -> bool:
    try:
        return path.is_file() and Stretch.load(path).covers(run.start, run.stop, size)
    except RenderError:
        return False


def _watched(
    plan: RenderPlan,
    painter: Painter,
    trajectory: Trajectory,
    run: Segment,
    size: Size,
    stop: threading.Event,
) -> Stretch:
    quantiser = Quantiser(size)
    observer = Observer(size, plan.frame_rate, run.start)
    for picture in painter.frames(trajectory, run.start, run.stop, size):
        if stop.is_set():
            raise Interrupted
        observer.see(quantiser.yuv420(picture.cpu()).numpy())
    return observer.stretch()
