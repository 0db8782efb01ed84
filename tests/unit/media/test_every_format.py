"""Every format, through its real encoder and back: frames, timestamps, colours, alpha, sound, bytes."""

import wave
from collections.abc import Callable
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

from synesthete.evaluation.integrity import measure_integrity
from synesthete.generators.base import Size
from synesthete.generators.quantise import Quantiser
from synesthete.media.codecs import CODINGS, VideoSettings, sound_container
from synesthete.media.encode import SegmentWriter, encoder_opens
from synesthete.media.mux import encode_sound, film_facts, stitch
from synesthete.media.palette import draw_gif
from synesthete.media.pixels import Pixels
from synesthete.media.watch import count_decodable, probe_pictures, watch_pictures
from synesthete.media.webp import draw_webp

SIZE = Size(64, 48)
BACKGROUND = 16.0
KINDS = [
    (codec, depth, alpha) for codec, coding in CODINGS.items() for depth, alpha in coding.pixels
    if encoder_opens(coding.encoders[0], codec, depth)
]  # fmt: skip
JOINED = [kind for kind in KINDS if CODINGS[kind[0]].sound]


def light(frame: int, frames: int = 30) -> torch.Tensor:
    """Draw a soft coloured spot on black that moves to the right; nothing else moves."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, 48), torch.linspace(-1.3, 1.3, 64), indexing="ij")
    spot = torch.clamp(1.1 - 1.6 * torch.sqrt((x + 0.7 - 1.4 * frame / frames) ** 2 + y * y), 0, 1)
    return torch.stack([0.9 * spot, spot * spot, 0.3 * spot])


def settings_of(codec: str, depth: int, alpha: bool, **more: Any) -> VideoSettings:
    given = {"crf": 4, "speed": "ultrafast", **more}
    return VideoSettings(
        encoder=CODINGS[codec].encoders[0], codec=codec, bit_depth=depth, alpha=alpha, **given
    )


def write_film(
    folder: Path,
    settings: VideoSettings,
    counts: tuple[int, ...],
    *,
    rate: Fraction = Fraction(30),
    sound: Path | None = None,
) -> Path:
    folder.mkdir(exist_ok=True)
    quantiser, coding, first, segments = Quantiser(SIZE, None, settings.pixels), settings.coding, 0, []
    for index, count in enumerate(counts):
        path = folder / f"{index}{coding.segment.suffix}"
        with SegmentWriter(path, width=64, height=48, frame_rate=rate, settings=settings) as writer:
            for frame in range(first, first + count):
                writer.write(quantiser.picture(light(frame, sum(counts))))
        segments.append((path, count))
        first += count
    film = folder / f"film{coding.film.suffix}"
    if coding.sound:
        stitch(segments, sound, film, frame_rate=rate, kind=coding.film, tags={"title": "Light"})
    else:
        draw = draw_gif if settings.codec == "gif" else draw_webp
        assert draw([path for path, _ in segments], film, frame_rate=rate, settings=settings) == sum(counts)
    return film


def seen(film: Path) -> tuple[list[float], np.ndarray]:
    moments, pictures = zip(*watch_pictures(film), strict=True)
    return list(moments), np.stack(pictures).astype(float)


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise that swells and fades, 1.02 s at 44.1 kHz, of 31 frames at 30 a second."""
    noise = np.random.default_rng(1).standard_normal(44_982) * np.hanning(44_982)
    path = tmp_path_factory.mktemp("song") / "song.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(44_100)
        samples = (6000 * np.stack([noise, noise], 1)).clip(-32_767, 32_767).astype("<i2")
        file.writeframes(samples.tobytes())
    return path


@pytest.fixture(scope="module")
def sound_of(song: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    with wave.open(str(song)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2).T / 32_768

    def encoded(codec: str) -> Path:
        path = tmp_path_factory.mktemp("sound") / f"sound{sound_container(codec).suffix}"  # type: ignore[arg-type]
        pieces = iter(np.array_split(samples.astype(np.float32), 7, axis=1))
        encode_sound(pieces, path, sample_rate=44_100, channels=2, codec=codec)  # type: ignore[arg-type]
        return path

    return encoded


@pytest.mark.parametrize(("codec", "depth", "alpha"), KINDS)
def test_what_is_shown_is_what_was_drawn_when_it_was_drawn(
    tmp_path: Path, codec: str, depth: int, alpha: bool
) -> None:
    film = write_film(tmp_path, settings_of(codec, depth, alpha), (7, 1, 5))
    info, (moments, pictures) = probe_pictures(film), seen(film)
    tick = {"gif": 0.01, "webp": 0.001, "vp9": 0.001}.get(codec, 0.0)
    assert (info.frames_declared, info.frame_rate, info.constant_rate) == (13, Fraction(30), True)
    assert count_decodable(film) == (13, 13)
    assert np.abs(np.array(moments) - np.arange(13) / 30).max() <= tick / 2 + 1e-9
    plain = Quantiser(SIZE)
    drawn = np.stack([plain.yuv420(light(frame, 13)).numpy() for frame in range(13)]).astype(float)
    errors = np.abs(pictures - drawn).mean((1, 2))  # neighbouring frames differ by over 2
    assert errors.max() < (4.0 if codec == "gif" else 0.8)
    assert np.abs(pictures[:, :8, -8:] - BACKGROUND).max() <= (
        8 if codec == "gif" else 2
    )  # black stays black


@pytest.mark.parametrize(("codec", "depth", "alpha"), [kind for kind in KINDS if kind[0] == "hevc"])
@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_segments_of_any_length_start_their_decoding_as_early(
    tmp_path: Path, codec: str, depth: int, alpha: bool, count: int
) -> None:
    write_film(tmp_path, settings_of(codec, depth, alpha), (count,))
    with av.open(tmp_path / "0.mp4") as container:
        times = [(packet.pts, packet.dts) for packet in container.demux(video=0) if packet.size]
    ticks = 90_000 // 30
    assert sorted(shown for shown, _ in times) == [ticks * frame for frame in range(count)]
    assert [decoded for _, decoded in times] == [ticks * (frame - 2) for frame in range(count)]


@pytest.mark.parametrize(("codec", "depth", "alpha"), JOINED)
def test_films_say_their_colours_and_depth(tmp_path: Path, codec: str, depth: int, alpha: bool) -> None:
    film = write_film(tmp_path, settings_of(codec, depth, alpha), (3,))
    facts = film_facts(film)
    assert facts.colour == ("bt709", "bt709", "bt709", "tv")
    if not codec.startswith("prores"):  # which FFmpeg decodes in more bits than it was given
        assert ("10" in facts.pixel_format) is (depth == 10)
    with av.open(film) as container:
        stream = container.streams.video[0]
        title = container.metadata.get("title")
        tag, extradata = stream.codec_context.codec_tag, stream.codec_context.extradata
    assert title == "Light"
    wanted = {"hevc": "hvc1", "av1": "av01", "prores422": "apch", "prores4444": "ap4h"}
    assert tag == wanted.get(codec, tag)
    assert extradata or codec in ("vp9", "prores422", "prores4444")


@pytest.mark.parametrize(("codec", "depth", "alpha"), KINDS)
def test_the_same_frames_give_the_same_bytes(tmp_path: Path, codec: str, depth: int, alpha: bool) -> None:
    one, two = (
        write_film(tmp_path / name, settings_of(codec, depth, alpha, speed="superfast"), (4, 3)).read_bytes()
        for name in ("one", "two")
    )
    assert one == two


@pytest.mark.parametrize("codec", ["hevc", "vp9", "prores422"])
@pytest.mark.parametrize("rate", [Fraction(24_000, 1001), Fraction(60)])
def test_sound_and_picture_start_and_end_together(
    tmp_path: Path, song: Path, sound_of: Callable[[str], Path], codec: str, rate: Fraction
) -> None:
    frames = -(-44_982 * rate // 44_100)
    depth = 10 if codec == "prores422" else 8
    sound = CODINGS[codec].sound
    assert sound is not None
    film = write_film(
        tmp_path,
        settings_of(codec, depth, False, crf=30),
        (frames // 2, frames - frames // 2),
        rate=rate,
        sound=sound_of(sound),
    )
    report = measure_integrity(film, song=song, song_seconds=Fraction(44_982, 44_100))
    assert report.problems == ()
    assert report.expected_frames == report.frames == frames
    assert report.av_offset_ms is not None
    assert abs(report.av_offset_ms) <= (0.6 if codec == "vp9" else 0.1)  # a tick of WebM is 1 ms
    again = write_film(
        tmp_path / "again",
        settings_of(codec, depth, False, crf=30),
        (frames // 2, frames - frames // 2),
        rate=rate,
        sound=sound_of(sound),
    )
    assert film.read_bytes() == again.read_bytes()


@pytest.mark.parametrize(("codec", "depth"), [("vp9", 8), ("prores4444", 10), ("webp", 8)])
def test_alpha_comes_back_and_colours_are_straight(tmp_path: Path, codec: str, depth: int) -> None:
    film = write_film(tmp_path, settings_of(codec, depth, True), (2, 2))
    colours, alpha = straight(film)
    want = light(3, 4).numpy()
    assert np.abs(alpha - want.max(0)).max() < 0.06
    assert np.abs(alpha - want.max(0)).mean() < 0.01
    lit = alpha > 0.3
    assert np.abs(colours.max(-1)[lit] - 1.0).mean() < 0.03  # divided by alpha, the brightest channel is full
    assert np.abs((colours * alpha[..., None]) - want.transpose(1, 2, 0))[lit].mean() < 0.02


@pytest.mark.parametrize("pixels", [p for coding in CODINGS.values() for p in coding.pixels.values()])
@pytest.mark.parametrize(("width", "height"), [(64, 50), (66, 64), (70, 130)])
def test_sizes_that_halve_to_odd_numbers_fit(pixels: Pixels, width: int, height: int) -> None:
    y, x = torch.meshgrid(torch.linspace(0.1, 1, height), torch.linspace(0.1, 1, width), indexing="ij")
    rgb = torch.stack([x, y, 0.5 * x * y])
    picture = Quantiser(Size(width, height), None, pixels).picture(rgb)
    assert picture.shape == pixels.shape(height, width)
    frame = pixels.frame_of(picture, height, width)
    got = frame.to_ndarray(format="rgb24", src_colorspace="ITU709", dst_colorspace="ITU709") / 255
    drawn = rgb / rgb.amax(0) if pixels.alpha else rgb
    assert np.abs(got - drawn.numpy().transpose(1, 2, 0)).mean() < 0.02


@pytest.mark.parametrize(("width", "height"), [(64, 64), (64, 130)])
def test_hevc_of_one_column_of_blocks_repeats_to_the_byte(tmp_path: Path, width: int, height: int) -> None:
    settings = settings_of("hevc", 8, False, crf=22, speed="fast")
    noise = np.random.default_rng(2).integers(16, 236, (12, height * 3 // 2, width)).astype(np.uint8)
    files = []
    for run in range(3):
        path = tmp_path / f"{run}.mp4"
        with SegmentWriter(
            path, width=width, height=height, frame_rate=Fraction(24), settings=settings
        ) as writer:
            for picture in noise:
                writer.write(picture)
        files.append(path.read_bytes())
    assert files[0] == files[1] == files[2]


def straight(film: Path) -> tuple[np.ndarray, np.ndarray]:
    """Give the last picture's colours and alpha, 0-1, by decoders of FFmpeg's and Pillow's own."""
    if film.suffix == ".webp":
        from PIL import Image

        with Image.open(film) as image:
            image.seek(3)
            picture = np.asarray(image.convert("RGBA")) / 255
        return picture[..., :3], picture[..., 3]
    with av.open(film) as container:
        stream = container.streams.video[0]
        name = "libvpx-vp9" if film.suffix == ".webm" else "prores"
        decoder = av.CodecContext.create(name, "r")
        if film.suffix == ".mov":
            decoder = stream.codec_context
        frames = [frame for packet in container.demux(stream) for frame in decoder.decode(packet)]  # type: ignore[attr-defined]
    rgba = frames[-1].to_ndarray(format="rgba", src_colorspace="ITU709", dst_colorspace="ITU709") / 255
    return rgba[..., :3], rgba[..., 3]


@pytest.mark.parametrize("depth", [8, 10])
def test_ten_bits_hold_what_eight_can_not(tmp_path: Path, depth: int) -> None:
    settings = settings_of("hevc", depth, False, crf=0)
    size = Size(64, 48)
    ramp = torch.linspace(0.02, 0.03, 64).expand(3, 48, 64)
    planes = Quantiser(size, None, settings.pixels).picture(ramp)
    exact = (16 + 219 * ramp[0].numpy()) * (1 << depth - 8)
    luma = planes[:48].astype(float)
    assert np.abs(luma - exact).max() <= 1.001
    error = np.abs(luma - exact).mean() / (1 << depth - 8)
    assert error < (0.15 if depth == 10 else 0.45)
    assert depth == 10 or error > 0.2


@pytest.mark.parametrize(("codec", "depth", "alpha"), KINDS)
def test_pure_colours_come_back(tmp_path: Path, codec: str, depth: int, alpha: bool) -> None:
    settings = settings_of(codec, depth, alpha)
    quantiser, plain = Quantiser(SIZE, None, settings.pixels), Quantiser(SIZE)
    colours = [torch.tensor(rgb).reshape(3, 1, 1).expand(3, 48, 64) for rgb in product((0.0, 1.0), repeat=3)]
    path = tmp_path / f"a{settings.coding.segment.suffix}"
    with SegmentWriter(path, width=64, height=48, frame_rate=Fraction(30), settings=settings) as writer:
        for colour in colours:
            writer.write(quantiser.picture(colour))
    film = path
    if codec in ("gif", "webp"):
        film = tmp_path / f"film{settings.coding.film.suffix}"
        draw = draw_gif if codec == "gif" else draw_webp
        draw([path], film, frame_rate=Fraction(30), settings=settings)
    _, pictures = seen(film)
    for colour, picture in zip(colours, pictures, strict=True):
        wanted = plain.yuv420(colour).numpy().astype(float)
        assert np.abs(picture - wanted).mean() < 1.5, colour[:, 0, 0]
