"""Films of every kind come as the same planes, with their times; what is damaged is left out or refused."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import Colorspace

from made_clips import clip_pictures, flat_pictures, write_clip
from synesthete.errors import MediaError
from synesthete.media.encode import SegmentWriter, VideoSettings
from synesthete.media.mux import encode_sound, stitch
from synesthete.media.watch import count_decodable, on_clock, probe_pictures, watch_pictures

ORANGE = (200, 60, 30)
NTSC = Fraction(30_000, 1001)


def bt709(rgb: tuple[int, int, int]) -> tuple[float, float, float]:
    """Give Y, Cb and Cr of a colour, limited range, by the standard's formulas."""
    red, green, blue = (value / 255 for value in rgb)
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return 16 + 219 * y, 128 + 224 * (blue - y) / 1.8556, 128 + 224 * (red - y) / 1.5748


def means(planes: np.ndarray, height: int) -> list[float]:
    return [float(planes[:height].mean()), *planes[height:].reshape(2, -1).mean(axis=1).tolist()]


def our_film(folder: Path, *, frames: int = 45, rate: Fraction = NTSC) -> Path:
    segment, sound, film = folder / "0.mp4", folder / "a.m4a", folder / "film.mp4"
    noise = np.random.default_rng(0)
    with SegmentWriter(segment, width=64, height=48, frame_rate=rate, settings=VideoSettings()) as writer:
        for index in range(frames):
            planes = np.full((72, 64), 128, np.uint8)
            planes[:48] = 40 + (np.add.outer(np.arange(48), 2 * np.arange(64)) + 5 * index) % 160
            planes[:48] += noise.integers(0, 20, (48, 64), dtype=np.uint8)
            writer.write(planes)
    tone = np.sin(np.arange(round(44_100 * frames / rate)) / 20, dtype=np.float32)[None] / 2
    encode_sound(iter([tone]), sound, sample_rate=44_100, channels=1)
    stitch([(segment, frames)], sound, film, frame_rate=rate)
    return film


def test_a_film_of_ours_comes_as_it_was_encoded(tmp_path: Path) -> None:
    film = our_film(tmp_path)
    with av.open(str(film)) as container:
        plain = [frame.to_ndarray(format="yuv420p") for frame in container.decode(video=0)]
    seen = list(watch_pictures(film))
    assert [moment for moment, _ in seen] == pytest.approx([i / NTSC for i in range(45)], abs=1e-9)
    assert all(np.array_equal(planes, own) for (_, planes), own in zip(seen, plain, strict=True))
    info = probe_pictures(film)
    assert (info.width, info.height, info.frame_rate, info.constant_rate) == (64, 48, NTSC, True)
    assert (info.codec, info.pixel_format, info.frames_declared) == ("h264", "yuv420p", 45)
    assert (info.start_s, info.has_sound, info.sound_start_s) == (0.0, True, 0.0)
    assert info.duration_s == pytest.approx(45 / NTSC)
    assert info.sound_end_s == pytest.approx(45 / NTSC, abs=1e-4)
    assert count_decodable(film) == (45, 45)


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format", "matrix", "tag", "full_range"),
    [
        ("a.mp4", "libx264", "yuv420p", Colorspace.ITU709, 1, False),
        ("a.mp4", "libx264", "yuv420p", Colorspace.ITU601, 6, False),
        ("unsaid.mp4", "libx264", "yuv420p", Colorspace.ITU601, None, False),
        ("a.mp4", "libx264", "yuvj420p", Colorspace.ITU709, 1, True),
        ("a.mp4", "libx264", "yuv422p", Colorspace.ITU709, 1, False),
        ("a.mp4", "libx264", "yuv444p", Colorspace.ITU709, 1, False),
        ("a.mov", "libx264", "yuv420p10le", Colorspace.ITU709, 1, False),
        ("a.mkv", "libx264", "yuv444p", Colorspace.BT2020, 9, False),
        ("a.mkv", "ffv1", "bgr0", None, None, True),
        ("a.mp4", "libx264rgb", "rgb24", None, None, True),
        ("a.webm", "libvpx-vp9", "yuv420p", Colorspace.ITU601, 5, False),
        ("a.avi", "mpeg4", "yuv420p", Colorspace.ITU601, None, False),
        ("a.avi", "mjpeg", "yuvj420p", Colorspace.ITU601, None, True),
        ("a.avi", "rawvideo", "bgr24", None, None, True),
        ("a.ts", "libx264", "yuv420p", Colorspace.ITU709, 1, False),
        ("a.h264", "libx264", "yuv420p", Colorspace.ITU709, 1, False),
        ("a.y4m", "rawvideo", "yuv420p", Colorspace.ITU601, None, False),
    ],
)
def test_every_pixel_format_matrix_and_range_gives_the_same_colour(
    tmp_path: Path, name: str, codec: str, pixel_format: str, matrix: int, tag: int, full_range: bool
) -> None:
    film = write_clip(
        tmp_path / name,
        flat_pictures(ORANGE, 6),
        codec=codec,
        pixel_format=pixel_format,
        matrix=matrix,
        tag=tag,
        full_range=full_range,
        muxer="yuv4mpegpipe" if name.endswith("y4m") else None,
    )
    seen = [planes for _, planes in watch_pictures(film)]
    assert len(seen) == 6
    assert all(planes.shape == (72, 64) for planes in seen)
    assert means(seen[3], 48) == pytest.approx(bt709(ORANGE), abs=1.6)


def test_a_large_film_that_does_not_name_its_matrix_is_bt709(tmp_path: Path) -> None:
    film = write_clip(
        tmp_path / "a.mp4",
        flat_pictures(ORANGE, 1, width=1280, height=720),
        tag=None,
        matrix=Colorspace.ITU709,
    )
    ((_, planes),) = watch_pictures(film)
    assert means(planes, 720) == pytest.approx(bt709(ORANGE), abs=1.1)


def test_odd_sizes_lose_their_last_row_and_column(tmp_path: Path) -> None:
    pictures = clip_pictures(2, width=71, height=49)
    film = write_clip(tmp_path / "a.mkv", pictures, codec="ffv1")
    with av.open(str(film)) as container:
        luma = [np.array(memoryview(f.planes[0])).reshape(49, -1) for f in container.decode(video=0)]
    info = probe_pictures(film)
    assert (info.width, info.height) == (70, 48)
    for (_, planes), whole in zip(watch_pictures(film), luma, strict=True):
        assert np.array_equal(planes[:48], whole[:48, :70])


def test_pictures_can_be_had_at_another_size(tmp_path: Path) -> None:
    film = write_clip(tmp_path / "a.mp4", flat_pictures(ORANGE, 2))
    for _, planes in watch_pictures(film, size=(32, 18)):
        assert planes.shape == (27, 32)
        assert means(planes, 18) == pytest.approx(bt709(ORANGE), abs=1.1)


def test_pictures_that_change_their_size_come_at_the_first_one_s(tmp_path: Path) -> None:
    parts = [
        write_clip(tmp_path / f"{width}.h264", flat_pictures(ORANGE, 3, width=width)) for width in (64, 96)
    ]
    film = tmp_path / "both.h264"
    film.write_bytes(b"".join(part.read_bytes() for part in parts))
    seen = [planes for _, planes in watch_pictures(film)]
    assert [planes.shape for planes in seen] == [(72, 64)] * 6
    assert means(seen[-1], 48) == pytest.approx(bt709(ORANGE), abs=1.6)


@pytest.mark.parametrize("rate", [Fraction(24_000, 1001), Fraction(25), NTSC, Fraction(60)])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.avi"])
def test_constant_rates_are_known_exactly_and_keep_every_picture(
    tmp_path: Path, name: str, rate: Fraction
) -> None:
    codec = "mpeg4" if name.endswith("avi") else "libx264"
    film = write_clip(tmp_path / name, clip_pictures(20), codec=codec, frame_rate=rate)
    info = probe_pictures(film)
    assert (info.frame_rate, info.constant_rate, info.frames_declared) == (rate, True, 20)
    assert info.start_s == pytest.approx(0, abs=1e-3)
    seen = list(watch_pictures(film))
    assert [moment for moment, _ in seen] == pytest.approx([i / rate for i in range(20)], abs=1.1e-3)
    kept = list(on_clock(iter(seen), rate))
    assert [id(planes) for planes in kept] == [id(planes) for _, planes in seen]


def test_uneven_times_are_told_and_averaged(tmp_path: Path) -> None:
    moments = [Fraction(ms, 1000) for ms in (0, 20, 90, 110, 170, 260, 270, 350, 360, 450)]
    film = write_clip(tmp_path / "a.mkv", clip_pictures(10), codec="ffv1", moments_s=moments)
    info = probe_pictures(film)
    assert not info.constant_rate
    assert info.frame_rate == 20
    assert [moment for moment, _ in watch_pictures(film)] == pytest.approx([float(m) for m in moments])


def test_a_gap_does_not_change_the_rate_and_is_filled_with_the_picture_before_it(tmp_path: Path) -> None:
    moments = [Fraction(i, 25) for i in [*range(10), *range(35, 50)]]
    film = write_clip(
        tmp_path / "a.mkv", clip_pictures(25), codec="ffv1", frame_rate=Fraction(25), moments_s=moments
    )
    info = probe_pictures(film)
    assert (info.frame_rate, info.constant_rate) == (25, False)
    seen = list(watch_pictures(film))
    clocked = list(on_clock(iter(seen), info.frame_rate))
    assert len(clocked) == 50
    assert all(planes is seen[9][1] for planes in clocked[9:35])


def test_the_film_starts_with_whatever_starts_first(tmp_path: Path) -> None:
    tone = np.sin(np.arange(44_100) / 20)[None] / 2
    moments = [Fraction(1, 5) + Fraction(i, 25) for i in range(20)]
    film = write_clip(
        tmp_path / "late.mkv",
        clip_pictures(20),
        codec="ffv1",
        moments_s=moments,
        sound=tone,
        sound_codec="pcm_s16le",
    )
    info = probe_pictures(film)
    assert (info.start_s, info.sound_start_s) == (pytest.approx(0.2), 0.0)
    assert info.sound_end_s == pytest.approx(1.0, abs=1e-3)
    with av.open(str(write_clip(tmp_path / "a.ts", clip_pictures(5)))) as container:
        assert container.start_time > 0  # MPEG-TS counts from elsewhere
    assert probe_pictures(tmp_path / "a.ts").start_s == 0.0


# The clock -------------------------------------------------------------------------------------------------


def clocked(moments: list[float], rate: int = 30) -> list[int]:
    pictures = ((moment, np.full((3, 2), index, np.uint8)) for index, moment in enumerate(moments))
    return [int(planes[0, 0]) for planes in on_clock(pictures, Fraction(rate))]


def test_the_clock_holds_what_lasts_and_drops_what_is_too_much() -> None:
    assert clocked([0, 1 / 30, 4 / 30]) == [0, 1, 1, 1, 2]
    assert clocked([0, 0.001, 0.002, 2 / 30]) == [0, 0, 3]
    assert clocked([0, 2 / 30, 1 / 30, 3 / 30]) == [0, 0, 1, 3]


def test_the_clock_shows_the_first_picture_from_the_start() -> None:
    assert clocked([2 / 30, 3 / 30]) == [0, 0, 0, 1]
    assert clocked([-0.5, -0.5 + 1 / 30]) == [0, 1]


@pytest.mark.parametrize("start_s", [0.0, 0.0166, 0.01667, 0.0168, 0.031])
def test_times_rounded_to_milliseconds_neither_repeat_nor_drop_a_picture(start_s: float) -> None:
    moments = [round(start_s + i / 30, 3) for i in range(200)]
    shown = clocked(moments)
    assert shown[-200:] == list(range(200))
    assert len(shown) <= 201


# What can't be watched -------------------------------------------------------------------------------------


def refusal(path: Path) -> str:
    with pytest.raises(MediaError) as caught:
        probe_pictures(path)
    message = str(caught.value)
    assert "\n" not in message
    with pytest.raises(MediaError):
        next(watch_pictures(path))
    return message


def test_what_is_no_film_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no film at all\n" * 100)
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXTINF:1,\n/etc/passwd\n#EXT-X-ENDLIST\n")
    assert refusal(tmp_path / "text.mp4").startswith("text.mp4 is no film that can be read")
    assert "is empty (0 bytes)" in refusal(tmp_path / "empty.mp4")
    assert "is no film that can be read" in refusal(tmp_path / "list.m3u8")
    assert "there is no file nowhere.mp4" in refusal(tmp_path / "nowhere.mp4")
    assert "is a folder; name a film" in refusal(tmp_path)


def test_sound_alone_and_sound_with_a_cover_are_no_film(tmp_path: Path) -> None:
    encode_sound(iter([np.zeros((1, 8000), np.float32)]), tmp_path / "a.m4a", sample_rate=8000, channels=1)
    assert "a.m4a holds no moving pictures" in refusal(tmp_path / "a.m4a")
    cover = tmp_path / "cover.mp4"
    with av.open(str(cover), "w") as container, av.open(str(tmp_path / "a.m4a")) as sound:
        copy = container.add_stream_from_template(sound.streams.audio[0])
        picture = container.add_stream("mjpeg", rate=1)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuvj420p"
        picture.disposition = av.stream.Disposition.attached_pic
        frame = av.VideoFrame.from_ndarray(flat_pictures(ORANGE, 1)[0], format="rgb24")
        container.mux(picture.encode(frame.reformat(format="yuvj420p")) + picture.encode(None))
        for packet in sound.demux(sound.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = copy
                container.mux(packet)
    assert "cover.mp4 holds no moving pictures" in refusal(cover)


def test_pictures_of_impossible_size_and_rate_are_refused(tmp_path: Path) -> None:
    tiny = write_clip(tmp_path / "tiny.mkv", flat_pictures(ORANGE, 2, width=8, height=8), codec="ffv1")
    assert "8×8 pixels; both sides must be 16 to 8192" in refusal(tiny)
    slow = [Fraction(0), Fraction(3), Fraction(6)]
    slides = write_clip(tmp_path / "slides.mkv", clip_pictures(3), codec="ffv1", moments_s=slow)
    with pytest.raises(MediaError, match=r"0\.3333 pictures a second, outside 1 to 240"):
        probe_pictures(slides)


def test_a_film_without_a_picture_is_refused(tmp_path: Path) -> None:
    film = our_film(tmp_path)
    content = film.read_bytes()
    film.write_bytes(content[: content.index(b"mdat") + 4])
    with pytest.raises(MediaError, match=r"holds not one picture"):
        probe_pictures(film)
    with pytest.raises(MediaError, match=r"no picture could be decoded"):
        next(watch_pictures(film))


def test_what_was_cut_off_is_missed(tmp_path: Path) -> None:
    film = our_film(tmp_path, frames=90)
    content = film.read_bytes()
    film.write_bytes(content[: content.index(b"mdat") + (len(content) - content.index(b"mdat")) // 2])
    assert probe_pictures(film).frames_declared == 90
    seen = list(watch_pictures(film))
    assert 20 < len(seen) < 70
    assert count_decodable(film)[0] == len(seen)


def test_damage_inside_costs_pictures_but_not_the_film(tmp_path: Path) -> None:
    film = our_film(tmp_path, frames=120)
    content = bytearray(film.read_bytes())
    middle = (content.index(b"mdat") + len(content)) // 2
    content[middle : middle + len(content) // 12] = bytes(len(content) // 12)
    film.write_bytes(content)
    seen = list(watch_pictures(film))
    assert 60 < len(seen) < 120
    assert seen[-1][0] == pytest.approx(119 / NTSC)
    assert len(list(on_clock(iter(seen), NTSC))) == 120
