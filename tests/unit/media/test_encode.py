import errno
import os
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from synesthete.errors import ConfigError, RenderError
from synesthete.files import digest_file, whole_file
from synesthete.media.encode import SegmentWriter, VideoSettings, encoder_opens, track_timescale
from synesthete.media.mux import iterate_frames

WIDTH, HEIGHT = 64, 48
RATES = [Fraction(24_000, 1001), Fraction(24), Fraction(30_000, 1001), Fraction(30), Fraction(60)]


def moving_bars(index: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    planes = np.full((height * 3 // 2, width), 128, np.uint8)
    planes[:height] = 40 + (np.add.outer(np.arange(height), 2 * np.arange(width)) + 5 * index) % 160
    return planes


def write_segment(
    path: Path, count: int, *, rate: Fraction = Fraction(30), settings: VideoSettings | None = None
) -> Path:
    return write_frames(path, map(moving_bars, range(count)), rate=rate, settings=settings)


def write_frames(
    path: Path,
    frames: Iterable[np.ndarray],
    *,
    width: int = WIDTH,
    height: int = HEIGHT,
    rate: Fraction = Fraction(30),
    settings: VideoSettings | None = None,
) -> Path:
    settings = settings or VideoSettings()
    with SegmentWriter(path, width=width, height=height, frame_rate=rate, settings=settings) as writer:
        for planes in frames:
            writer.write(planes)
    return path


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("count", [1, 2, 7])
def test_frame_i_is_shown_at_exactly_i_over_the_rate(tmp_path: Path, rate: Fraction, count: int) -> None:
    path = write_segment(tmp_path / "a.mp4.part", count, rate=rate)
    with av.open(path) as container:
        moments = [frame.pts * frame.time_base for frame in container.decode(video=0)]
        duration = container.streams.video[0].duration * container.streams.video[0].time_base
    assert moments == [i / rate for i in range(count)]
    assert duration == count / rate


def test_the_same_frames_give_the_same_bytes_and_no_date(tmp_path: Path) -> None:
    one, two = (write_segment(tmp_path / name, 20).read_bytes() for name in ("one.mp4", "two.mp4"))
    assert one == two
    assert b"Lavf" not in one


@pytest.mark.parametrize(("width", "height"), [(32, 32), (64, 48), (240, 136)])
def test_the_same_frames_give_the_same_bytes_in_a_used_heap(tmp_path: Path, width: int, height: int) -> None:
    # x264's AVX-512 code read memory it never set, so its bytes depended on what lay there.
    frames = [moving_bars(index, width, height) for index in range(11, 31)]
    digests = set()
    for attempt in range(8):
        rng = np.random.default_rng(attempt)
        litter = [
            rng.integers(0, 255, 50_000 + 1_000 * attempt + 3_333 * size, np.uint8) for size in range(8)
        ]
        del litter
        path = write_frames(tmp_path / "a.mp4", frames, width=width, height=height)
        digests.add(digest_file(path))
    assert len(digests) == 1


def test_stream_and_frames_are_tagged_bt709_limited(tmp_path: Path) -> None:
    path = write_segment(tmp_path / "a.mp4", 3)
    with av.open(path) as container:
        context = container.streams.video[0].codec_context
        frame = next(container.decode(video=0))
        for tagged in (context, frame):
            assert (tagged.color_primaries, tagged.color_trc, tagged.colorspace) == (1, 1, 1)
            assert tagged.color_range == 1
        assert context.pix_fmt == "yuv420p"


@pytest.mark.parametrize(
    ("yuv", "rgb"),
    [((63, 102, 240), (255, 0, 0)), ((173, 42, 26), (0, 255, 0)), ((235, 128, 128), (255, 255, 255))],
)
def test_colours_come_back_by_the_bt709_matrix(
    tmp_path: Path, yuv: tuple[int, int, int], rgb: tuple[int, int, int]
) -> None:
    planes = np.empty((HEIGHT * 3 // 2, WIDTH), np.uint8)
    for rows, value in zip(np.split(planes, [HEIGHT, HEIGHT * 5 // 4]), yuv, strict=True):
        rows[:] = value
    path = write_frames(tmp_path / "a.mp4", [planes], settings=VideoSettings(crf=1))
    (frame,) = iterate_frames(path)
    assert np.abs(frame.astype(int) - rgb).max() <= 3


def test_keyframes_come_as_often_as_asked_and_gops_are_closed(tmp_path: Path) -> None:
    path = write_segment(tmp_path / "a.mp4", 40, settings=VideoSettings(keyframe_seconds=0.5))
    with av.open(path) as container:
        packets = [packet for packet in container.demux(video=0) if packet.pts is not None]
    keys = [index for index, packet in enumerate(packets) if packet.is_keyframe]
    assert keys[0] == 0
    assert max(np.diff([*keys, len(packets)])) <= 15
    for key in keys:
        assert all(packet.pts >= packets[key].pts for packet in packets[key:])


@pytest.mark.parametrize("speed", ["ultrafast", "medium"])
def test_other_speeds_keep_every_frame(tmp_path: Path, speed: str) -> None:
    path = write_segment(tmp_path / "a.mp4", 12, settings=VideoSettings(speed=speed, threads=2))
    frames = list(iterate_frames(path))
    assert len(frames) == 12
    # At crf 18 a grey ramp comes back within a few levels.
    assert np.abs(frames[5][:, :, 1] - (moving_bars(5)[:HEIGHT] - 16.0) * 255 / 219).mean() < 6


@pytest.fixture
def small_files() -> Iterator[None]:
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def write_noise_whole(target: Path) -> None:
    noise = np.random.default_rng(0).integers(16, 235, (360, 320), dtype=np.uint8)
    with whole_file(target) as part:
        write_frames(part, [noise] * 5, width=320, height=240, settings=VideoSettings(crf=1))


@pytest.mark.usefixtures("small_files")
def test_no_space_is_said_clearly_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match=r"no space left while writing .*a\.mp4"):
        write_noise_whole(tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_an_oserror_with_its_number() -> None:
    with pytest.raises(OSError, match="No space left") as caught:
        write_segment(Path("/dev/full"), 30)
    assert caught.value.errno == errno.ENOSPC


def test_a_missing_folder_is_an_oserror(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_segment(tmp_path / "nowhere" / "a.mp4", 1)


def failing_frames() -> Iterator[np.ndarray]:
    yield moving_bars(0)
    raise KeyError("mine")


def test_an_error_in_the_block_comes_through(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="mine"):
        write_frames(tmp_path / "a.mp4", failing_frames())


def test_a_frame_of_another_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match=r"frame 1 has shape \(48, 64\)"):
        write_frames(tmp_path / "a.mp4", [moving_bars(0), moving_bars(1)[:HEIGHT]])


def test_a_segment_without_frames_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="no frame was written"):
        write_segment(tmp_path / "a.mp4", 0)


@pytest.mark.parametrize(
    ("field", "value"),
    [("encoder", "libx265"), ("crf", 52), ("speed", "placebo"), ("keyframe_seconds", 0.0), ("threads", 0)],
)
def test_settings_out_of_range_can_not_be_built(field: str, value: object) -> None:
    with pytest.raises(ConfigError, match=field):
        VideoSettings(**{field: value})  # type: ignore[arg-type]


def test_an_odd_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="63×48"):
        SegmentWriter(
            tmp_path / "a.mp4", width=63, height=48, frame_rate=Fraction(30), settings=VideoSettings()
        )


def test_encoders_are_tried_and_not_believed() -> None:
    assert encoder_opens("libx264")
    assert not encoder_opens("no_such_encoder")


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="threads are scheduled otherwise here")
def test_av1_leaves_this_thread_no_more_urgent_than_it_was(tmp_path: Path) -> None:
    before = os.sched_getscheduler(0)
    # As root, SVT-AV1 would make it a real-time one.
    write_segment(tmp_path / "segment.mp4", 2, settings=VideoSettings(encoder="libsvtav1", codec="av1"))
    assert os.sched_getscheduler(0) == before


def test_an_encoder_that_does_not_open_is_named_with_a_remedy(tmp_path: Path) -> None:
    missing = next((name for name in ("h264_nvenc", "h264_qsv", "h264_amf") if not encoder_opens(name)), None)
    if missing is None:
        pytest.skip("every hardware encoder opens here")
    with pytest.raises(RenderError, match=rf"{missing}.*use libx264"):
        write_segment(tmp_path / "a.mp4", 1, settings=VideoSettings(encoder=missing))


@pytest.mark.parametrize("rate", [*RATES, Fraction(25), Fraction(120), Fraction(47, 2), Fraction(100, 3)])
def test_the_timescale_holds_every_frame_exactly(rate: Fraction) -> None:
    timescale = track_timescale(rate)
    assert (timescale / rate).denominator == 1
    assert 10_000 <= timescale <= 200_000
