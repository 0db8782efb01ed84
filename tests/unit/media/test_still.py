"""One picture out of a film: the nearest to the moment, sought or not; turned, scaled down, or refused."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from made_clips import clip_sound, flat_pictures, write_clip
from synesthete.errors import MediaError
from synesthete.media.mux import encode_sound
from synesthete.media.pictures import open_film
from synesthete.media.still import picture_at
from synesthete.media.watch import watch_frames, watch_pictures

RATE = Fraction(25)
_BREADTH, _TALL = 64, 48


def grey_film(path: Path, *, count: int = 40, codec: str = "libx264", **settings: object) -> Path:
    """Write a film whose pictures grow brighter, 5 levels each."""
    pictures = [np.full((_TALL, _BREADTH, 3), 20 + 5 * index, np.uint8) for index in range(count)]
    return write_clip(path, pictures, codec=codec, frame_rate=RATE, **settings)  # type: ignore[arg-type]


def index_of(picture: np.ndarray) -> float:
    return (float(picture.mean()) - 20) / 5


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", "libx264"),
        ("a.mov", "libx265"),
        ("a.mkv", "ffv1"),
        ("a.webm", "libvpx-vp9"),
        ("a.ts", "mpeg2video"),
    ],
)
def test_the_nearest_picture_is_taken(tmp_path: Path, name: str, codec: str) -> None:
    film = grey_film(tmp_path / name, codec=codec)
    for moment, index in (("0", 0), ("0.019", 0), ("0.021", 1), ("0.78", 19), ("0.81", 20), ("1.59", 39)):
        taken = picture_at(film, Fraction(moment))
        assert taken.shape == (_TALL, _BREADTH, 3)
        assert index_of(taken) == pytest.approx(index, abs=0.45), moment
    assert index_of(picture_at(film)) == pytest.approx(20, abs=0.45)


def test_it_is_the_same_picture_as_without_seeking(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    noisy = [rng.integers(0, 255, (_TALL, _BREADTH, 3), np.uint8) for _ in range(30)]
    film = keyed(tmp_path / "a.mp4", noisy, every=10)
    with open_film(film) as whole:
        frames = [(moment, frame.to_ndarray()) for moment, frame in watch_frames(whole)]
    with open_film(film) as sought:
        behind = [(moment, frame.to_ndarray()) for moment, frame in watch_frames(sought, from_s=0.95)]
    assert 0 < frames[-len(behind)][0] <= 0.95  # it did skip
    assert all(
        a[0] == b[0] and np.array_equal(a[1], b[1])
        for a, b in zip(frames[-len(behind) :], behind, strict=True)
    )


def keyed(path: Path, pictures: list[np.ndarray], *, every: int) -> Path:
    """Write a film with a key picture every so many, and pictures before each that need it: open groups."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = _BREADTH, _TALL, "yuv420p"
        stream.options = {"x264-params": f"keyint={every}:min-keyint={every}:scenecut=0:open-gop=1:bframes=3"}
        for rgb in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_pictures_before_an_open_key_picture_are_found(tmp_path: Path, name: str) -> None:
    levels = [np.full((_TALL, _BREADTH, 3), 20 + 5 * index, np.uint8) for index in range(40)]
    film = keyed(tmp_path / name, levels, every=8)
    for index in range(40):
        assert index_of(picture_at(film, index / RATE)) == pytest.approx(index, abs=0.45)


def test_colours_come_back(tmp_path: Path) -> None:
    film = write_clip(tmp_path / "a.mp4", flat_pictures((200, 60, 30), 3))
    assert np.abs(picture_at(film, Fraction(0)).astype(int) - (200, 60, 30)).max() <= 4


def test_large_pictures_are_scaled_down(tmp_path: Path) -> None:
    film = write_clip(tmp_path / "a.mkv", flat_pictures((9, 9, 9), 1, width=2400, height=1004), codec="ffv1")
    assert picture_at(film).shape == (804, 1920, 3)


def test_films_of_turned_cameras_come_upright(tmp_path: Path) -> None:
    left_red = np.zeros((_TALL, _BREADTH, 3), np.uint8)
    left_red[:, : _BREADTH // 2, 0] = 200
    film = write_clip(tmp_path / "a.mp4", [left_red] * 3)
    content = bytearray(film.read_bytes())
    matrix = content.index(b"tkhd") + 4 + 40
    turned = [0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30]  # a quarter to the right
    content[matrix : matrix + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in turned)
    film.write_bytes(content)
    seen = picture_at(film, Fraction(0))
    assert seen.shape == (_BREADTH, _TALL, 3)
    assert seen[:24, :, 0].mean() > 150 > 50 > seen[40:, :, 0].mean()  # the left side is on top


def test_sound_before_the_pictures_and_gaps(tmp_path: Path) -> None:
    moments = [Fraction(1, 2), Fraction(6, 10), Fraction(2), Fraction(21, 10)]
    film = grey_film(
        tmp_path / "a.mkv",
        count=4,
        codec="ffv1",
        moments_s=moments,
        sound=clip_sound(2.5),
        sound_codec="flac",
    )
    for moment, index in (("0", 0), ("0.5", 0), ("1.2", 1), ("1.4", 2), ("2.15", 3)):
        assert index_of(picture_at(film, Fraction(moment))) == pytest.approx(index, abs=0.3), moment


# Refused ----------------------------------------------------------------------------------------------------


def refusal(film: Path, moment: Fraction | None = None) -> str:
    with pytest.raises(MediaError) as caught:
        picture_at(film, moment)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_moments_beyond_the_end_are_refused(tmp_path: Path) -> None:
    film = grey_film(tmp_path / "a.mp4")
    assert index_of(picture_at(film, Fraction("1.599"))) == pytest.approx(39, abs=0.45)
    assert refusal(film, Fraction("1.6")) == (
        "1.6 s lies beyond the end of a.mp4, whose pictures end at 1.600 s; name an earlier moment"
    )


def test_what_holds_no_pictures_is_refused(tmp_path: Path) -> None:
    sound = tmp_path / "sound.m4a"
    encode_sound(iter([np.zeros((1, 8000), np.float32)]), sound, sample_rate=8000, channels=1)
    assert "sound.m4a holds no moving pictures" in refusal(sound)
    (tmp_path / "text.mp4").write_text("no film at all\n" * 100)
    assert "text.mp4 is no film that can be read" in refusal(tmp_path / "text.mp4")


def test_damaged_films_are_refused_where_they_are_damaged(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    noisy = [rng.integers(0, 255, (_TALL, _BREADTH, 3), np.uint8) for _ in range(75)]
    film = keyed(tmp_path / "a.mp4", noisy, every=10)
    content = bytearray(film.read_bytes())
    start, size = content.index(b"mdat"), len(content)
    first, last = start + (size - start) * 4 // 10, start + (size - start) * 7 // 10
    content[first:last] = bytes(last - first)
    film.write_bytes(content)
    assert refusal(film, Fraction("1.6")) == (
        "a.mp4 is damaged at 1.6 s; name another moment, or export it again"
    )
    whole = [planes for _, planes in watch_pictures(film)]
    assert picture_at(film, Fraction("0.4")).shape[:2] == (_TALL, _BREADTH)
    assert 20 < len(whole) < 60
