"""Loudness and true peak: known tones, FFmpeg's own meter on the same file, and what has no loudness."""

import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from synesthete.errors import TruncatedError
from synesthete.media.decode import Span
from synesthete.media.loudness import Loudness, measure_loudness

ALBUM = Path(__file__).parents[3] / "album"
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write float samples as they are."""

    def to_file(sound: np.ndarray, rate: int = 48_000) -> Path:
        sound = np.atleast_2d(sound).astype(np.float32)
        path = tmp_path / "sound.wav"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("pcm_f32le", rate=rate)
            stream.layout = {1: "mono", 2: "stereo", 6: "5.1"}[len(sound)]  # type: ignore[attr-defined]
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(sound.T).reshape(1, -1), format="flt", layout=stream.layout.name
            )
            frame.sample_rate = rate
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return to_file


def tone(seconds: float, rate: int = 48_000, hertz: float = 997.0, level: float = 1.0) -> np.ndarray:
    return level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def by_ffmpeg(path: Path) -> tuple[float, float]:
    """Run FFmpeg's filter on the frames as its own decoder gives them."""
    graph, integrated, peak = None, -math.inf, 0.0
    with av.open(str(path), metadata_errors="ignore") as container:
        for frame in container.decode(audio=0):
            if graph is None:
                graph = av.filter.Graph()
                source = graph.add_abuffer(template=container.streams.audio[0])
                meter = graph.add("ebur128", "peak=true:metadata=1")
                graph.link_nodes(source, meter, graph.add("abuffersink")).configure()
            graph.push(frame)
            while True:
                try:
                    report = graph.pull().metadata
                except av.BlockingIOError:
                    break
                if "lavfi.r128.I" in report:
                    integrated = float(report["lavfi.r128.I"])
                    peak = max(peak, float(report["lavfi.r128.true_peak"]))
    return integrated, 20 * math.log10(peak)


@pytest.mark.parametrize("rate", [4_000, 22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize(("channels", "lufs"), [(1, -3.01), (2, 0.0)])
def test_a_full_scale_tone(write: Write, rate: int, channels: int, lufs: float) -> None:
    # BS.1770-4: 997 Hz at full scale on one channel reads -3.01 LKFS.
    heard = measure_loudness(write(np.tile(tone(3, rate), (channels, 1)), rate))
    assert heard.integrated_lufs == pytest.approx(lufs, abs=0.05)


def test_a_quiet_tone_keeps_its_decimals(write: Write) -> None:
    heard = measure_loudness(write(tone(2, level=0.003)))
    assert heard.integrated_lufs == pytest.approx(-3.01 + 20 * math.log10(0.003), abs=0.1)
    assert heard.true_peak_dbtp == pytest.approx(20 * math.log10(0.003), abs=0.05)


def test_a_peak_between_the_samples_is_found(write: Write) -> None:
    # A quarter of the rate, at 45°: all samples lie at 0.707 of the peak.
    sound = np.sin(2 * np.pi * np.arange(48_000) / 4 + np.pi / 4) * np.hanning(48_000)
    assert np.abs(sound).max() < 0.7072
    assert measure_loudness(write(sound)).true_peak_dbtp == pytest.approx(0.0, abs=0.1)


def test_a_peak_in_the_last_samples_counts(write: Write) -> None:
    sound = np.concatenate([tone(1, level=0.01), np.zeros(100), np.hanning(40) * 0.8])
    assert measure_loudness(write(sound)).true_peak_dbtp == pytest.approx(20 * math.log10(0.8), abs=0.1)


def test_the_cut_at_the_end_makes_no_peak(write: Write) -> None:
    sound = tone(1.2345)
    sound[:4_800] *= np.linspace(0, 1, 4_800)
    assert measure_loudness(write(sound)).true_peak_dbtp == pytest.approx(0.0, abs=0.02)


@pytest.mark.parametrize("song", sorted(ALBUM.glob("*.ogg")), ids=lambda path: path.stem)
def test_songs_read_as_ffmpeg_reads_them(song: Path) -> None:
    heard = measure_loudness(song)
    integrated, peak = by_ffmpeg(song)
    assert heard.integrated_lufs == pytest.approx(integrated, abs=0.1)
    assert heard.true_peak_dbtp == pytest.approx(peak, abs=0.1)


def test_a_part_of_a_song(write: Write) -> None:
    path = write(np.concatenate([tone(2, level=0.1), tone(2)]))
    quiet = measure_loudness(path, Span(Fraction(0), Fraction(2)))
    loud = measure_loudness(path, Span(Fraction(2)))
    assert quiet.integrated_lufs == pytest.approx(-23.01, abs=0.05)
    assert loud.integrated_lufs == pytest.approx(-3.01, abs=0.05)


def test_silence_has_no_loudness(write: Write) -> None:
    assert measure_loudness(write(np.zeros((2, 48_000)))) == Loudness(None, None)


def test_below_the_gate_there_is_only_a_peak(write: Write) -> None:
    heard = measure_loudness(write(tone(2, level=1e-4)))
    assert heard.integrated_lufs is None
    assert heard.true_peak_dbtp == pytest.approx(-80, abs=0.1)


@pytest.mark.parametrize("samples", [1, 2, 480, 14_400])
def test_what_is_shorter_than_a_block_has_a_peak_only(write: Write, samples: int) -> None:
    heard = measure_loudness(write(np.full(samples, 0.5)))
    assert heard.integrated_lufs is None
    assert heard.true_peak_dbtp is not None


@pytest.mark.parametrize("samples", [40, 800])
def test_the_shortest_at_the_lowest_rate(write: Write, samples: int) -> None:
    assert measure_loudness(write(np.full(samples, 0.5), 1_000)).true_peak_dbtp is not None


def test_surround_is_measured_as_it_is_mixed(write: Write) -> None:
    sound = np.zeros((6, 96_000))
    sound[2] = tone(2)  # the centre, in both loudspeakers
    lufs = measure_loudness(write(sound)).integrated_lufs
    assert lufs is not None
    assert -12 < lufs < 0


def test_damage_is_told(tmp_path: Path) -> None:
    song = next(ALBUM.glob("torus*.ogg"))
    part = tmp_path / "part.ogg"
    part.write_bytes(song.read_bytes()[:300_000])
    with pytest.raises(TruncatedError):
        measure_loudness(part)
    assert measure_loudness(part, allow_truncated=True).integrated_lufs is not None
