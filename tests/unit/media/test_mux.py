from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from scipy import signal

from synesthete.clock import Clock
from synesthete.errors import InputError, RenderError
from synesthete.media.encode import SegmentWriter, VideoSettings
from synesthete.media.mux import encode_sound, film_facts, iterate_frames, stitch

WIDTH, HEIGHT = 64, 48
NTSC = Fraction(30_000, 1001)
FRAME_RATES = [Fraction(24_000, 1001), Fraction(24), NTSC, Fraction(30), Fraction(60)]


def moving_bars(index: int) -> np.ndarray:
    planes = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
    planes[:HEIGHT] = 40 + (np.add.outer(np.arange(HEIGHT), 2 * np.arange(WIDTH)) + 5 * index) % 160
    return planes


def write_segments(
    folder: Path, counts: list[int], rate: Fraction, settings: VideoSettings | None = None
) -> list[tuple[Path, int]]:
    segments, start = [], 0
    for number, count in enumerate(counts):
        path = folder / f"{number}.mp4"
        with SegmentWriter(
            path, width=WIDTH, height=HEIGHT, frame_rate=rate, settings=settings or VideoSettings()
        ) as writer:
            for index in range(start, start + count):
                writer.write(moving_bars(index))
        segments.append((path, count))
        start += count
    return segments


def clicks_in_noise(samples: int, channels: int, seed: int = 0) -> np.ndarray:
    """Give noise below 3 kHz whose cross-correlation has one sharp peak."""
    noise = np.random.default_rng(seed).standard_normal((channels, samples))
    smooth = signal.lfilter(np.ones(6) / 6, 1, noise, axis=1) * np.hanning(samples)
    return (0.5 * smooth / np.abs(smooth).max()).astype(np.float32)


def pieces(sound: np.ndarray, length: int = 3001) -> Iterator[np.ndarray]:
    for start in range(0, sound.shape[1], length):
        yield sound[:, start : start + length]


def write_sound(path: Path, sound: np.ndarray, rate: int) -> Path:
    encode_sound(pieces(sound), path, sample_rate=rate, channels=sound.shape[0])
    return path


def decoded_sound(path: Path) -> tuple[np.ndarray, int]:
    with av.open(path) as container:
        frames = list(container.decode(audio=0))
    assert frames[0].pts == 0
    return np.concatenate([frame.to_ndarray() for frame in frames], axis=1), frames[0].sample_rate


def delay_ms(heard: np.ndarray, heard_rate: int, source: np.ndarray, source_rate: int) -> float:
    """Measure how much later ``heard`` is than ``source``, on a common clock of 48 kHz."""
    common = 48_000
    one, two = (
        signal.resample(track, round(track.size * common / rate))
        for track, rate in ((heard[0], heard_rate), (source[0], source_rate))
    )
    correlation = signal.correlate(one, two, mode="full", method="fft")
    return 1000 * (int(correlation.argmax()) - (two.size - 1)) / common


@pytest.mark.parametrize("frame_rate", FRAME_RATES)
@pytest.mark.parametrize(("sample_rate", "channels"), [(22_050, 1), (44_100, 2), (48_000, 1), (48_000, 2)])
def test_film_is_in_time_from_start_to_end(
    tmp_path: Path, frame_rate: Fraction, sample_rate: int, channels: int
) -> None:
    source = clicks_in_noise(sample_rate + 1234, channels)
    count = Clock(frame_rate).frames_for(source.shape[1], sample_rate)
    segments = write_segments(tmp_path, [count // 2, 1, count - 1 - count // 2], frame_rate)
    sound = write_sound(tmp_path / "sound.m4a", source, sample_rate)
    film = tmp_path / "film.mp4"
    assert stitch(segments, sound, film, frame_rate=frame_rate) == count

    facts = film_facts(film)
    assert (facts.frames, facts.frame_rate, facts.constant_rate) == (count, frame_rate, True)
    assert (facts.start_s, facts.sound_start_s) == (0.0, 0.0)
    assert (facts.sound_rate, facts.sound_channels) == (sample_rate, channels)
    assert facts.sound_samples == source.shape[1]
    assert abs(facts.duration_s - source.shape[1] / sample_rate) <= 1 / frame_rate
    assert abs(delay_ms(*decoded_sound(film), source, sample_rate)) < 0.05


@pytest.mark.parametrize(("sample_rate", "channels"), [(192_000, 2), (12_345, 1), (96_000, 2), (8_000, 1)])
def test_rates_that_aac_can_not_carry_become_48_khz_and_stay_in_time(
    tmp_path: Path, sample_rate: int, channels: int
) -> None:
    source = clicks_in_noise(sample_rate // 2, channels)
    track = encode_sound(pieces(source), tmp_path / "a.m4a.part", sample_rate=sample_rate, channels=channels)
    assert track.samples == source.shape[1]
    assert track.sample_rate == (sample_rate if sample_rate in (96_000, 8_000) else 48_000)
    heard, heard_rate = decoded_sound(track.path)
    assert heard_rate == track.sample_rate
    assert abs(delay_ms(heard, heard_rate, source, sample_rate)) < 0.05


def test_sound_survives_the_codec_and_loud_or_broken_samples_are_tamed(tmp_path: Path) -> None:
    rate = 44_100
    tone = np.sin(2 * np.pi * 440 * np.arange(rate) / rate, dtype=np.float32)[None]
    wild = 3 * tone
    wild[0, 100], wild[0, 200] = np.nan, np.inf
    heard, _ = decoded_sound(write_sound(tmp_path / "a.m4a", wild, rate))
    assert np.isfinite(heard).all()
    # FFmpeg's encoder turns windows at full scale down by up to 5 % (0.45 dB), against overshoot.
    assert np.abs(heard[0, :rate] - np.clip(3 * tone[0], -1, 1))[4096:-4096].mean() < 0.06


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000])
def test_what_leads_up_to_a_sound_is_not_heard_and_moves_nothing(tmp_path: Path, rate: int) -> None:
    sound = np.roll(clicks_in_noise(3 * rate, 2), 3 * rate // 2, axis=1)
    lead = 16_384
    led = np.concatenate([sound[:, -lead:], sound], 1)
    path = tmp_path / "sound.m4a"
    track = encode_sound(pieces(led), path, sample_rate=rate, channels=2, lead=lead)
    film = tmp_path / "film.mp4"
    stitch(write_segments(tmp_path, (72,), rate=Fraction(24)), path, film, frame_rate=Fraction(24))

    assert track.samples == 3 * rate
    facts = film_facts(film)
    assert (facts.sound_samples, facts.sound_start_s) == (3 * rate, 0.0)
    heard, _ = decoded_sound(film)
    assert abs(delay_ms(heard, rate, sound, rate)) < 0.05
    # Its start comes out nearer to what it was.
    plain, _ = decoded_sound(write_sound(tmp_path / "plain.m4a", sound, rate))
    errors = [np.abs(got[:, :1024] - sound[:, :1024]).mean() for got in (heard, plain)]
    assert errors[0] < 0.8 * errors[1]


@pytest.mark.parametrize("counts", [[1], [2], [1, 1, 1], [2, 1, 7], [1, 2, 30, 2], [16, 16, 3]])
@pytest.mark.parametrize("speed", ["ultrafast", "veryfast"])
def test_film_shows_what_its_segments_show(tmp_path: Path, counts: list[int], speed: str) -> None:
    segments = write_segments(tmp_path, counts, NTSC, VideoSettings(speed=speed))
    film = tmp_path / "film.mp4.part"
    stitch(segments, None, film, frame_rate=NTSC)
    expected = [frame for path, _ in segments for frame in iterate_frames(path)]
    shown = list(iterate_frames(film))
    assert len(shown) == len(expected) == sum(counts)
    assert all(np.array_equal(one, two) for one, two in zip(shown, expected, strict=True))


@pytest.mark.parametrize("counts", [[1, 1, 2, 12, 1], [40]])
def test_packets_are_decoded_in_order_and_before_they_are_shown(tmp_path: Path, counts: list[int]) -> None:
    film = tmp_path / "film.mp4"
    stitch(write_segments(tmp_path, counts, NTSC), None, film, frame_rate=NTSC)
    with av.open(film) as container:
        packets = [packet for packet in container.demux(video=0) if packet.pts is not None]
    decode_times = [packet.dts for packet in packets]
    assert set(np.diff(decode_times)) == {3003}
    assert all(packet.dts <= packet.pts for packet in packets)
    assert sorted(packet.pts for packet in packets) == [3003 * i for i in range(sum(counts))]


def test_seeking_lands_on_the_frame_asked_for(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    stitch(write_segments(tmp_path, [7, 9, 12], NTSC), None, film, frame_rate=NTSC)
    expected = list(iterate_frames(film))
    with av.open(film) as container:
        stream = container.streams.video[0]
        container.seek(3003 * 16, stream=stream)
        frame = next(container.decode(stream))
    assert frame.pts == 3003 * 16
    assert np.abs(frame.to_ndarray(format="rgb24").astype(int) - expected[16]).mean() < 2


def make_film(folder: Path) -> bytes:
    folder.mkdir()
    segments = write_segments(folder, [9, 2, 20], Fraction(30))
    sound = write_sound(folder / "sound.m4a", clicks_in_noise(44_100 * 31 // 30, 2), 44_100)
    tags = {"title": "Jóga \ud800(live)\0", "artist": "Björk"}
    stitch(segments, sound, folder / "film.mp4", frame_rate=Fraction(30), tags=tags)
    return (folder / "film.mp4").read_bytes()


def test_same_inputs_same_bytes_with_the_index_first(tmp_path: Path) -> None:
    one, two = make_film(tmp_path / "one"), make_film(tmp_path / "two")
    assert one == two
    assert one.index(b"moov") < one.index(b"mdat")
    assert b"Lavf" not in one
    assert b"Lavc" not in one


def test_tags_and_colours_arrive(tmp_path: Path) -> None:
    make_film(tmp_path / "one")
    film = tmp_path / "one" / "film.mp4"
    with av.open(film) as container:
        assert container.metadata["title"] == "Jóga (live)"
        assert container.metadata["artist"] == "Björk"
        assert "creation_time" not in container.metadata
    facts = film_facts(film)
    assert facts.colour == ("bt709", "bt709", "bt709", "tv")
    assert (facts.codec, facts.pixel_format, facts.width, facts.height) == ("h264", "yuv420p", 64, 48)


def test_picture_and_sound_lie_side_by_side_in_the_file(tmp_path: Path) -> None:
    source = clicks_in_noise(44_100 * 4, 2)
    segments = write_segments(tmp_path, [60, 60], Fraction(30))
    film = tmp_path / "film.mp4"
    stitch(segments, write_sound(tmp_path / "a.m4a", source, 44_100), film, frame_rate=Fraction(30))
    with av.open(film) as container:
        order = sorted(
            (packet.pos, packet.dts * packet.time_base) for packet in container.demux() if packet.pos
        )
    moments = [float(moment) for _, moment in order]
    assert np.abs(np.diff(moments)).max() < 0.2


def test_a_silent_film_says_so(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    stitch(write_segments(tmp_path, [5], NTSC), None, film, frame_rate=NTSC)
    facts = film_facts(film)
    assert (facts.sound_rate, facts.sound_samples, facts.sound_start_s) == (None, None, None)
    assert facts.frames == 5


def test_a_wrong_count_is_refused(tmp_path: Path) -> None:
    ((path, _),) = write_segments(tmp_path, [5], NTSC)
    with pytest.raises(RenderError, match="holds 5 frames, not 6"):
        stitch([(path, 6)], None, tmp_path / "film.mp4", frame_rate=NTSC)
    with pytest.raises(RenderError, match="holds 5 frames, not 4"):
        stitch([(path, 4)], None, tmp_path / "film.mp4", frame_rate=NTSC)


def test_segments_of_different_encodings_do_not_join(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    first = write_segments(tmp_path, [5], NTSC)
    other = write_segments(tmp_path / "other", [5], NTSC, VideoSettings(speed="ultrafast"))
    with pytest.raises(RenderError, match="encoded differently"):
        stitch(first + other, None, tmp_path / "film.mp4", frame_rate=NTSC)


def test_a_segment_of_another_rate_is_refused(tmp_path: Path) -> None:
    segments = write_segments(tmp_path, [5], Fraction(30))
    with pytest.raises(RenderError, match="no segment at 30000/1001"):
        stitch(segments, None, tmp_path / "film.mp4", frame_rate=NTSC)


def test_sound_and_picture_of_different_lengths_are_refused(tmp_path: Path) -> None:
    segments = write_segments(tmp_path, [5], Fraction(30))
    sound = write_sound(tmp_path / "a.m4a", clicks_in_noise(44_100, 1), 44_100)
    with pytest.raises(RenderError, match=r"picture lasts 0\.167 s and the sound 1\.000 s"):
        stitch(segments, sound, tmp_path / "film.mp4", frame_rate=Fraction(30))


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no film at all" * 100)
    with pytest.raises(RenderError, match=r"broken\.mp4"):
        film_facts(broken)
    with pytest.raises(RenderError, match=r"broken\.mp4"):
        list(iterate_frames(broken))
    with pytest.raises(FileNotFoundError):
        film_facts(tmp_path / "nowhere.mp4")


def test_a_truncated_segment_is_refused(tmp_path: Path) -> None:
    ((path, count),) = write_segments(tmp_path, [30], NTSC)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(RenderError, match=r"0\.mp4"):
        stitch([(path, count)], None, tmp_path / "film.mp4", frame_rate=NTSC)


def test_there_must_be_sound_to_encode_and_segments_to_join(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="no samples"):
        encode_sound(iter([]), tmp_path / "a.m4a", sample_rate=44_100, channels=2)
    with pytest.raises(RenderError, match=r"shape \(1, 10\)"):
        encode_sound(
            iter([np.zeros((1, 10), np.float32)]), tmp_path / "a.m4a", sample_rate=44_100, channels=2
        )
    with pytest.raises(InputError, match="7 channels"):
        encode_sound(iter([]), tmp_path / "a.m4a", sample_rate=44_100, channels=7)
    with pytest.raises(RenderError, match="no segments"):
        stitch([], None, tmp_path / "film.mp4", frame_rate=NTSC)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 6])
def test_every_promised_number_of_channels_can_be_encoded(tmp_path: Path, channels: int) -> None:
    path = write_sound(tmp_path / "a.m4a", clicks_in_noise(4096, channels), 48_000)
    heard, _ = decoded_sound(path)
    assert heard.shape[0] == channels


def test_frames_can_be_read_at_another_size(tmp_path: Path) -> None:
    ((path, _),) = write_segments(tmp_path, [2], NTSC)
    assert [frame.shape for frame in iterate_frames(path, size=(32, 24))] == [(24, 32, 3)] * 2
