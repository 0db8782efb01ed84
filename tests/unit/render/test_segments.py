import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from synesthete.config.preset import load_preset
from synesthete.config.render import RenderOptions
from synesthete.errors import OutputError, RenderError
from synesthete.generators.base import FakeGenerator, Size, Trajectory
from synesthete.generators.control import Signals
from synesthete.generators.quantise import Quantiser
from synesthete.media.encode import VideoSettings
from synesthete.media.mux import film_facts, iterate_frames
from synesthete.render.frames import frame_file
from synesthete.render.plan import RenderPlan, Segment, SongFacts
from synesthete.render.run import RunFolder
from synesthete.render.segments import Interrupted, SegmentJob, SegmentRenderer

SIZE = Size(64, 64)
FRAMES = 24
SEGMENTS = [Segment(i, 6 * i, 6 * i + 6) for i in range(4)]


class Failing(FakeGenerator):
    """A generator that raises at one frame."""

    def __init__(self, at: int, error: BaseException) -> None:
        super().__init__("energy")
        self.at, self.error = at, error
        self.drawn: list[int] = []

    def frames(self, trajectory: Trajectory, start: int, stop: int, size: Size) -> Iterator[torch.Tensor]:
        for frame in range(start, stop):
            if frame == self.at:
                raise self.error
            self.drawn.append(frame)
            yield next(super().frames(trajectory, frame, frame + 1, size))


@pytest.fixture
def trajectory() -> Trajectory:
    signals = Signals(Fraction(30), {"energy": np.linspace(0, 1, FRAMES)})
    return FakeGenerator().score(signals, np.zeros((FRAMES, 4)), seed=0)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    run = RunFolder(tmp_path / "run")
    run.work.mkdir(parents=True)
    return run


@pytest.fixture
def renderer(folder: RunFolder, trajectory: Trajectory) -> Callable[..., SegmentRenderer]:
    song = SongFacts(Path("song.wav"), "a" * 64, 44_100, 2, 35_280, None, None, {})
    plan = RenderPlan(
        song, load_preset("silk"), RenderOptions(), SIZE, Fraction(30), FRAMES, VideoSettings(), "b" * 64
    )

    def make(
        generator: FakeGenerator | None = None, on_frame: Callable[[Segment], None] = lambda segment: None
    ) -> SegmentRenderer:
        return SegmentRenderer(
            plan, trajectory, generator or FakeGenerator(), folder, Quantiser(SIZE), on_frame
        )

    return make


def jobs(**options: object) -> list[SegmentJob]:
    return [SegmentJob(segment, f"{segment.index:064d}", **options) for segment in SEGMENTS]  # type: ignore[arg-type]


def finished(folder: RunFolder) -> dict[int, bytes]:
    """Every finished Segment's bytes."""
    found = {}
    for job in jobs():
        path = folder.segment_path(job.segment, job.key)
        if folder.stored(path, job.key) is not None:
            found[job.segment.index] = path.read_bytes()
    return found


def no_threads_left() -> bool:
    return not any(t.name.startswith(("segment-", "draw-")) for t in threading.enumerate())


@pytest.mark.parametrize("workers", [1, 3, 9])
def test_all_segments_are_rendered_whatever_the_workers(
    folder: RunFolder, renderer: Callable[..., SegmentRenderer], trajectory: Trajectory, workers: int
) -> None:
    seen: list[int] = []
    one = renderer(on_frame=lambda segment: seen.append(segment.index))
    one.run(jobs(), workers)
    assert sorted(seen) == sorted(6 * [0, 1, 2, 3])
    assert one.stage_seconds.keys() == {"draw", "convert", "encode"}
    assert sorted(path.suffix for path in folder.work.iterdir()) == 4 * [".json"] + 4 * [".mp4"]
    quantiser = Quantiser(SIZE)
    for job in jobs():
        path = folder.segment_path(job.segment, job.key)
        assert film_facts(path).frames == 6
        drawn = FakeGenerator().frames(trajectory, job.segment.start, job.segment.stop, SIZE)
        for decoded, picture in zip(iterate_frames(path), drawn, strict=True):
            assert np.abs(decoded.astype(int) - quantiser.rgb8(picture).numpy()).mean() < 3
    assert no_threads_left()


def test_bytes_do_not_depend_on_workers(tmp_path: Path, renderer: Callable[..., SegmentRenderer]) -> None:
    rendered = []
    for workers in (1, 4):
        one = renderer()
        one._folder = RunFolder(tmp_path / str(workers))
        one._folder.work.mkdir(parents=True)
        one.run(jobs(), workers)
        rendered.append(finished(one._folder))
    assert rendered[0] == rendered[1]
    assert len(rendered[0]) == 4


@pytest.mark.parametrize("at", [0, 8, 11, 23])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_failure_is_passed_on_and_leaves_nothing_half_made(
    folder: RunFolder, renderer: Callable[..., SegmentRenderer], at: int, workers: int
) -> None:
    error = RenderError("the network has melted")
    with pytest.raises(RenderError, match="the network has melted") as caught:
        renderer(Failing(at, error)).run(jobs(), workers)
    assert caught.value is error
    assert no_threads_left()
    done = finished(folder)
    assert at // 6 not in done
    assert len(list(folder.work.iterdir())) == 2 * len(done)  # film and sidecar, and no parts
    if workers == 1:
        assert sorted(done) == list(range(at // 6))


@pytest.mark.parametrize("error", [ZeroDivisionError("x"), MemoryError("x"), KeyboardInterrupt("x")])
def test_failures_of_any_kind_keep_their_kind(
    renderer: Callable[..., SegmentRenderer], error: BaseException
) -> None:
    with pytest.raises(type(error)) as caught:
        renderer(Failing(3, error)).run(jobs(), 2)
    assert caught.value is error


def test_after_a_failure_the_other_workers_stop(renderer: Callable[..., SegmentRenderer]) -> None:
    class Slow(Failing):
        def frames(self, trajectory: Trajectory, start: int, stop: int, size: Size) -> Iterator[torch.Tensor]:
            for picture in super().frames(trajectory, start, stop, size):
                time.sleep(0.1 if start else 0)
                yield picture

    generator = Slow(5, ValueError("x"))
    with pytest.raises(ValueError, match="x"):
        renderer(generator).run(jobs(), 2)
    assert len([frame for frame in generator.drawn if frame >= 6]) < 6
    assert max(generator.drawn) < 12


def test_a_callback_that_fails_stops_the_render(
    folder: RunFolder, renderer: Callable[..., SegmentRenderer]
) -> None:
    def refuse(segment: Segment) -> None:
        raise BrokenPipeError("nobody reads")

    with pytest.raises(BrokenPipeError, match="nobody reads"):
        renderer(on_frame=refuse).run(jobs(), 2)
    assert list(folder.work.iterdir()) == []


def test_a_generator_that_ends_early_is_a_failure(
    folder: RunFolder, renderer: Callable[..., SegmentRenderer]
) -> None:
    class Short(FakeGenerator):
        def frames(self, trajectory: Trajectory, start: int, stop: int, size: Size) -> Iterator[torch.Tensor]:
            yield from super().frames(trajectory, start, stop - 1, size)

    with pytest.raises(RuntimeError):
        renderer(Short()).run(jobs(), 1)
    assert list(folder.work.iterdir()) == []


def test_stopping_keeps_what_is_finished(folder: RunFolder, renderer: Callable[..., SegmentRenderer]) -> None:
    count = 0

    def stop_at_nine(segment: Segment) -> None:
        nonlocal count
        count += 1
        if count == 9:
            one.stop()

    one = renderer(on_frame=stop_at_nine)
    with pytest.raises(Interrupted):
        one.run(jobs(), 1)
    assert sorted(finished(folder)) == [0]
    assert len(list(folder.work.iterdir())) == 2
    assert no_threads_left()


def test_stopping_does_not_wait_for_a_slow_frame_to_be_asked_for(
    renderer: Callable[..., SegmentRenderer],
) -> None:
    began = threading.Event()

    class Stuck(FakeGenerator):
        def frames(self, trajectory: Trajectory, start: int, stop: int, size: Size) -> Iterator[torch.Tensor]:
            began.set()
            time.sleep(0.4)
            yield from super().frames(trajectory, start, stop, size)

    one = renderer(Stuck())
    threading.Thread(target=lambda: (began.wait(), one.stop())).start()
    with pytest.raises(Interrupted):
        one.run(jobs(), 2)


def test_an_interrupt_in_the_waiting_thread_stops_the_workers(
    folder: RunFolder, renderer: Callable[..., SegmentRenderer], monkeypatch: pytest.MonkeyPatch
) -> None:
    join, calls = threading.Thread.join, []

    def interrupted_join(thread: threading.Thread, timeout: float | None = None) -> None:
        if thread.name == "segment-0" and not calls:
            calls.append(1)
            raise KeyboardInterrupt
        join(thread, timeout)

    monkeypatch.setattr(threading.Thread, "join", interrupted_join)
    with pytest.raises(KeyboardInterrupt):
        renderer().run(jobs(), 1)
    assert no_threads_left()
    assert len(list(folder.work.iterdir())) == 2 * len(finished(folder))


def test_nothing_to_do_is_done_at_once(renderer: Callable[..., SegmentRenderer]) -> None:
    one = renderer()
    one.run([], 4)
    assert one.stage_seconds == {}


def test_frames_are_kept_as_png_beside_the_film_or_alone(
    tmp_path: Path, folder: RunFolder, renderer: Callable[..., SegmentRenderer], trajectory: Trajectory
) -> None:
    for name, film in (("both", True), ("alone", False)):
        pictures = tmp_path / name
        pictures.mkdir()
        before = len(finished(folder))
        one = renderer()
        one.run(jobs(film=film, frames_folder=pictures), 2)
        assert "png" in one.stage_seconds
        assert len(finished(folder)) == (4 if film else before)
        assert sorted(path.name for path in pictures.iterdir()) == [
            f"frame_{i:06d}.png" for i in range(FRAMES)
        ]
        quantiser = Quantiser(SIZE)
        for index, drawn in enumerate(FakeGenerator().frames(trajectory, 0, FRAMES, SIZE)):
            with Image.open(frame_file(pictures, index)) as stored:
                np.testing.assert_array_equal(np.asarray(stored), quantiser.rgb8(drawn).numpy())
        folder.clear_work()
        folder.work.mkdir()


def test_a_work_folder_that_is_a_file_is_named(
    folder: RunFolder, renderer: Callable[..., SegmentRenderer]
) -> None:
    folder.clear_work()
    folder.work.touch()
    with pytest.raises(OutputError, match=r"cannot write .*work/segment-0000[01]"):
        renderer().run(jobs(), 2)
    assert no_threads_left()
