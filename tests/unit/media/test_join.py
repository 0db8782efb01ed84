from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from PIL import Image
from scipy import signal

from synesthete.clock import Clock
from synesthete.errors import InputError, RenderError
from synesthete.media.encode import SegmentWriter, VideoSettings
from synesthete.media.join import AlbumTrack, album_samples, join_films
from synesthete.media.mux import encode_sound, film_facts, iterate_frames, stitch
from synesthete.media.sound import Sound, join_sounds

FILM, NTSC = Fraction(24_000, 1001), Fraction(30_000, 1001)
ALBUM_RATE = 48_000
TICKS = 90_000
TITLES = ("Jóga", "Ghosts I", "")
# (sample rate, channels, samples): other rates than the album's, odd counts, mono and stereo.
SONGS = ((44_100, 2, 44_100 + 17), (48_000, 1, 48_000 + 1601), (44_100, 1, 31_111))
TAGS = {
    "title": "Álbum",
    "artist": "Björk",
    "album": "Homogenic",
    "date": "1997",
    "copyright": "CC BY",
    "comment": "v1",
}


@dataclass(frozen=True)
class Album:
    """An album on disk, and the sound that went into it, at each song's own rate."""

    tracks: list[AlbumTrack]
    sound: Path
    songs: list[np.ndarray]
    rates: list[int]
    frame_rate: Fraction
    sample_rate: int = ALBUM_RATE

    @property
    def starts(self) -> list[int]:
        return list(accumulate((track.samples for track in self.tracks), initial=0))

    def join(self, target: Path, **options: object) -> Path:
        frames = join_films(
            self.tracks,
            self.sound,
            target,
            frame_rate=self.frame_rate,
            sample_rate=self.sample_rate,
            **options,  # type: ignore[arg-type]
        )
        assert frames == sum(track.frames for track in self.tracks)
        return target


def noise(samples: int, channels: int, seed: int) -> np.ndarray:
    """Give noise below 3 kHz at one level from end to end, so that it can be found at its very edges."""
    white = np.random.default_rng(seed).standard_normal((channels, samples))
    smooth = signal.lfilter(np.ones(6) / 6, 1, white, axis=1)
    return (0.5 * smooth / np.abs(smooth).max()).astype(np.float32)


def pieces(sound: np.ndarray, length: int = 3001) -> list[np.ndarray]:
    return [sound[:, start : start + length] for start in range(0, sound.shape[1], length)]


def write_film(
    path: Path,
    frames: int,
    rate: Fraction,
    *,
    size: tuple[int, int] = (64, 64),
    settings: VideoSettings | None = None,
    seed: int = 0,
) -> Path:
    """Write a film of two segments, without sound, of a pattern that moves."""
    width, height = size
    segments = []
    for part, count in enumerate(filter(None, (frames - frames // 2, frames // 2))):
        segment = path.with_suffix(f".{part}.mp4")
        with SegmentWriter(
            segment, width=width, height=height, frame_rate=rate, settings=settings or VideoSettings()
        ) as writer:
            for index in range(count):
                planes = np.full((height * 3 // 2, width), 128, np.uint8)
                shade = np.add.outer(np.arange(height), 2 * np.arange(width)) + 5 * index + 40 * seed
                planes[:height] = 40 + shade % 160
                writer.write(planes)
        segments.append((segment, count))
    stitch(segments, None, path, frame_rate=rate)
    return path


def sound_of(samples: np.ndarray, rate: int) -> Sound:
    return Sound(lambda: iter(pieces(samples)), rate, len(samples))


def make_album(
    folder: Path,
    frame_rate: Fraction,
    songs: Sequence[tuple[int, int, int]] = SONGS,
    *,
    sample_rate: int = ALBUM_RATE,
    channels: int = 2,
) -> Album:
    tracks, sounds, sources = [], [], []
    folder.mkdir(exist_ok=True)
    for number, (rate, song_channels, samples) in enumerate(songs):
        frames = Clock(frame_rate).frames_for(samples, rate)
        film = write_film(folder / f"track{number}.mp4", frames, frame_rate, seed=number)
        length = album_samples(samples, source_rate=rate, sample_rate=sample_rate)
        tracks.append(AlbumTrack(film, frames, length, TITLES[number]))
        sounds.append(noise(samples, song_channels, number))
        sources.append(sound_of(sounds[-1], rate).adapted(sample_rate, channels))
    encode_sound(
        join_sounds(sources).chunks(), folder / "album.m4a", sample_rate=sample_rate, channels=channels
    )
    return Album(
        tracks, folder / "album.m4a", sounds, [rate for rate, _, _ in songs], frame_rate, sample_rate
    )


def packets(path: Path) -> list[tuple[int, int, int, bytes]]:
    """Give pts, dts, duration and bytes of each picture, in decoding order."""
    with av.open(path) as film:
        assert film.streams.video[0].time_base is not None
        return [
            (packet.pts, packet.dts, packet.duration, bytes(packet))
            for packet in film.demux(video=0)
            if packet.pts is not None and packet.dts is not None and packet.duration is not None
        ]


def decoded_sound(path: Path) -> tuple[np.ndarray, int]:
    with av.open(path) as film:
        frames = list(film.decode(audio=0))
    assert frames[0].pts == 0
    return np.concatenate([frame.to_ndarray() for frame in frames], axis=1), frames[0].sample_rate


def delay_samples(heard: np.ndarray, source: np.ndarray, around: int) -> int:
    """Measure by how many samples ``heard`` is later than ``source`` in the window from ``around`` on."""
    window = source[around : around + 4096]
    found = heard[max(0, around - 1000) : around + 4096 + 1000]
    return int(signal.correlate(found, window, mode="valid").argmax()) - min(1000, around)


@pytest.mark.parametrize("frame_rate", [FILM, NTSC, Fraction(30)])
def test_every_track_starts_at_its_exact_sample_in_picture_and_sound(
    tmp_path: Path, frame_rate: Fraction
) -> None:
    album = make_album(tmp_path, frame_rate)
    film = album.join(tmp_path / "film.mp4")
    shown = sorted(pts for pts, _, _, _ in packets(film))
    heard, rate = decoded_sound(film)
    assert rate == ALBUM_RATE
    facts = film_facts(film)
    assert (facts.start_s, facts.sound_start_s, facts.sound_samples) == (0.0, 0.0, album.starts[-1])
    first = 0
    for track, song, song_rate, start in zip(
        album.tracks, album.songs, album.rates, album.starts, strict=False
    ):
        exact = Fraction(start, ALBUM_RATE)
        for index in range(track.frames):
            moment = Fraction(shown[first + index], TICKS)
            assert abs(moment - (exact + index / frame_rate)) <= Fraction(1, 2 * TICKS)
        first += track.frames
        at_album = signal.resample_poly(song[0], ALBUM_RATE // 300, song_rate // 300).astype(np.float32)
        for edge in (0, track.samples - 5000):
            lag = delay_samples(heard[0, start : start + track.samples], at_album, edge)
            assert abs(lag / ALBUM_RATE) < 0.0005, (track.title, edge, lag)
    with av.open(film) as opened:
        stream = opened.streams.video[0]
        assert stream.time_base == Fraction(1, TICKS)
        assert stream.duration == round(Fraction(album.starts[-1] * TICKS, ALBUM_RATE))
        assert opened.streams.audio[0].duration == album.starts[-1]


def test_no_sample_is_lost_or_doubled_at_a_joint(tmp_path: Path) -> None:
    """Tracks at the album's rate, through the codec: the offset is the same on both sides of each joint."""
    songs = ((44_100, 2, 30_001), (44_100, 1, 17_777), (44_100, 2, 25_003))
    album = make_album(tmp_path, NTSC, songs, sample_rate=44_100)
    film = album.join(tmp_path / "film.mp4")
    heard, _ = decoded_sound(film)
    whole = np.concatenate([np.broadcast_to(song, (2, song.shape[1])) for song in album.songs], axis=1)
    for joint in album.starts[1:-1]:
        for channel in (0, 1):
            assert delay_samples(heard[channel], whole[channel], joint - 4096) == 0
            assert delay_samples(heard[channel], whole[channel], joint) == 0
            across = slice(joint - 512, joint + 512)
            likeness = np.corrcoef(heard[channel, across], whole[channel, across])[0, 1]
            assert likeness > 0.99


def test_sound_of_the_albums_rate_passes_untouched() -> None:
    songs = [noise(10_001, 2, 0), noise(7, 1, 1), noise(5000, 2, 2)]
    joined = join_sounds([sound_of(song, 44_100).adapted(44_100, 2) for song in songs])
    whole = np.concatenate([np.broadcast_to(song, (2, song.shape[1])) for song in songs], axis=1)
    assert np.array_equal(np.concatenate(list(joined.chunks()), axis=1), whole)


@pytest.mark.parametrize("source_rate", [8_000, 22_050, 44_100, 48_000, 96_000])
def test_the_count_of_samples_is_known_beforehand(source_rate: int) -> None:
    counts = [1, 1000, 44_101, 12_345]
    for n in counts:
        given = sound_of(noise(n, 1, n), source_rate).adapted(ALBUM_RATE, 2).chunks()
        expected = album_samples(n, source_rate=source_rate, sample_rate=ALBUM_RATE)
        assert sum(block.shape[1] for block in given) == expected


@pytest.mark.parametrize("frame_rate", [FILM, NTSC])
def test_pictures_are_those_of_the_tracks_in_order(tmp_path: Path, frame_rate: Fraction) -> None:
    album = make_album(tmp_path, frame_rate)
    film = album.join(tmp_path / "film.mp4")
    joined = packets(film)
    single = [packet for track in album.tracks for packet in packets(track.film)]
    assert [data for _, _, _, data in joined] == [data for _, _, _, data in single]
    assert all(dts <= pts for pts, dts, _, _ in joined)
    assert all(0 < later - dts == duration for (_, dts, duration, _), (_, later, _, _) in pairwise(joined))
    length = round(Fraction(album.starts[-1] * TICKS, ALBUM_RATE))
    assert sum(duration for _, _, duration, _ in joined) == length
    shown = list(iterate_frames(film))
    expected = [frame for track in album.tracks for frame in iterate_frames(track.film)]
    assert len(shown) == len(expected)
    assert all(np.array_equal(one, two) for one, two in zip(shown, expected, strict=True))


def test_a_last_frame_of_less_than_a_tick_is_still_shown(tmp_path: Path) -> None:
    # One sample of 96 kHz is less than a tick: the last frame would round to the next track's start.
    songs = ((96_000, 1, 96_000 // 30 * 10 + 1), (96_000, 1, 96_000 // 2))
    album = make_album(tmp_path, Fraction(30), songs, sample_rate=96_000)
    assert [track.frames for track in album.tracks] == [11, 15]
    shown = sorted(pts for pts, _, _, _ in packets(album.join(tmp_path / "film.mp4")))
    assert shown[9:12] == [27_000, 30_000, 30_001]
    assert np.diff(shown).min() == 1


def test_frames_of_whole_ticks_stay_evenly_spaced_in_a_track_that_starts_between_ticks(
    tmp_path: Path,
) -> None:
    album = make_album(tmp_path, NTSC, ((48_000, 1, 24_004), (48_000, 1, 24_000)))
    film = album.join(tmp_path / "film.mp4")
    shown = sorted(pts for pts, _, _, _ in packets(film))
    assert Fraction(album.starts[1] * TICKS, ALBUM_RATE) % 1 == Fraction(1, 2)
    assert set(np.diff(shown[album.tracks[0].frames :])) == {3003}


def test_tracks_of_a_single_frame_join(tmp_path: Path) -> None:
    songs = ((48_000, 1, 800), (48_000, 1, 1600), (48_000, 1, 1))
    album = make_album(tmp_path, Fraction(30), songs)
    assert [pts for pts, _, _, _ in packets(album.join(tmp_path / "film.mp4"))] == [0, 1500, 4500]


def test_chapters_and_tags_are_read_back(tmp_path: Path) -> None:
    album = make_album(tmp_path, NTSC)
    film = album.join(tmp_path / "film.mp4", tags=TAGS)
    with av.open(film) as opened:
        chapters = opened.chapters()
        assert {name: opened.metadata.get(name) for name in TAGS} == TAGS
    spans = [(chapter["start"], chapter["end"]) for chapter in chapters]
    assert spans == list(pairwise(album.starts))
    assert {chapter["time_base"] for chapter in chapters} == {Fraction(1, ALBUM_RATE)}
    assert [chapter["metadata"].get("title", "") for chapter in chapters] == list(TITLES)


def test_chapters_of_a_rate_that_aac_can_not_carry_are_right_to_the_sample_as_encoded(tmp_path: Path) -> None:
    songs = ((192_000, 1, 96_001), (192_000, 1, 50_003))
    album = make_album(tmp_path, NTSC, songs, sample_rate=192_000)
    film = album.join(tmp_path / "film.mp4")
    with av.open(film) as opened:
        second = opened.chapters()[1]
    assert abs(second["start"] * second["time_base"] - Fraction(96_001, 192_000)) <= Fraction(1, 96_000)
    assert packets(film)[album.tracks[0].frames][0] == round(Fraction(96_001 * TICKS, 192_000))


@pytest.mark.parametrize(("name", "codec"), [("cover.png", "png"), ("cover.jpg", "mjpeg")])
def test_the_cover_is_a_picture_attached_after_the_film(tmp_path: Path, name: str, codec: str) -> None:
    album = make_album(tmp_path, NTSC)
    cover = tmp_path / name
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (60, 40, 3), np.uint8)).save(cover)
    film = album.join(tmp_path / "film.mp4", cover=cover)
    with av.open(film) as opened:
        main, attached = opened.streams.video
        assert (main.index, main.codec_context.name) == (0, "h264")
        assert Disposition.attached_pic not in main.disposition
        assert attached.disposition == Disposition.attached_pic
        assert (attached.codec_context.name, attached.width, attached.height) == (codec, 40, 60)
        assert opened.streams.best("video") is main
        (picture,) = (bytes(packet) for packet in opened.demux(attached) if packet.size)
    assert picture == cover.read_bytes()
    plain = album.join(tmp_path / "plain.mp4")
    assert packets(film) == packets(plain)
    assert film_facts(film) == film_facts(plain)
    stitched = tmp_path / "single.mp4"
    stitch([(album.tracks[0].film, album.tracks[0].frames)], None, stitched, frame_rate=NTSC, cover=cover)
    again = [AlbumTrack(stitched, *(getattr(album.tracks[0], f) for f in ("frames", "samples", "title")))]
    album = Album(again + album.tracks[1:], album.sound, album.songs, album.rates, NTSC)
    assert packets(album.join(tmp_path / "again.mp4")) == packets(plain)


def test_same_inputs_same_bytes_with_the_index_first(tmp_path: Path) -> None:
    cover = tmp_path / "cover.png"
    Image.new("RGB", (32, 32), (10, 200, 30)).save(cover)
    written = [
        make_album(tmp_path / name, FILM).join(tmp_path / name / "film", tags=TAGS, cover=cover).read_bytes()
        for name in ("one", "two")
    ]
    assert written[0] == written[1]
    assert written[0].index(b"moov") < written[0].index(b"mdat")
    assert b"Lavf" not in written[0]


def test_picture_and_sound_lie_side_by_side_in_the_file(tmp_path: Path) -> None:
    album = make_album(tmp_path, NTSC)
    cover = tmp_path / "cover.png"
    Image.new("RGB", (32, 32)).save(cover)
    with av.open(album.join(tmp_path / "film.mp4", cover=cover)) as opened:
        order = sorted((p.pos, float(p.dts * p.time_base)) for p in opened.demux(0, 1) if p.pos)
    assert np.abs(np.diff([moment for _, moment in order])).max() < 0.2


@pytest.mark.parametrize("frame_rate", [FILM, NTSC, Fraction(30)])
def test_seeking_lands_on_a_tracks_first_frame(tmp_path: Path, frame_rate: Fraction) -> None:
    album = make_album(tmp_path, frame_rate)
    film = album.join(tmp_path / "film.mp4")
    for track, start in zip(album.tracks, album.starts, strict=False):
        moment = round(Fraction(start * TICKS, ALBUM_RATE))
        with av.open(film) as opened:
            stream = opened.streams.video[0]
            opened.seek(moment, stream=stream)
            frame = next(opened.decode(stream))
        assert frame.pts == moment
        first = next(iterate_frames(track.film))
        assert np.abs(frame.to_ndarray(format="rgb24").astype(int) - first).mean() < 2


def album_with_other_film(folder: Path, **options: object) -> tuple[Album, Path]:
    album = make_album(folder, NTSC, SONGS[:2])
    other = album.tracks[1]
    film = folder / "other.mp4"
    rate = options.pop("rate", NTSC)
    assert isinstance(rate, Fraction)
    write_film(film, other.frames, rate, **options)  # type: ignore[arg-type]
    tracks = [album.tracks[0], AlbumTrack(film, other.frames, other.samples, other.title)]
    return Album(tracks, album.sound, album.songs, album.rates, NTSC), film


def test_films_that_can_not_be_one_are_named_with_what_differs(tmp_path: Path) -> None:
    target = tmp_path / "film.mp4"
    other, _ = album_with_other_film(tmp_path / "size", size=(32, 48))
    with pytest.raises(RenderError, match=r"other\.mp4 has 32×48 pixels.*track0\.mp4 has 64×64.*one size"):
        other.join(target)
    other, _ = album_with_other_film(tmp_path / "rate", rate=Fraction(30))
    with pytest.raises(RenderError, match=r"other\.mp4 has 30 frames per second.*--fps 30000/1001"):
        other.join(target)
    other, _ = album_with_other_film(tmp_path / "speed", settings=VideoSettings(speed="ultrafast"))
    with pytest.raises(RenderError, match=r"other\.mp4 is encoded differently .* same encoder"):
        other.join(target)
    assert not target.exists()


def test_wrong_counts_are_refused(tmp_path: Path) -> None:
    album = make_album(tmp_path, NTSC, SONGS[:2])
    one, two = album.tracks

    def join(*tracks: AlbumTrack) -> None:
        join_films(tracks, album.sound, tmp_path / "x.mp4", frame_rate=NTSC, sample_rate=ALBUM_RATE)

    with pytest.raises(RenderError, match=r"sound .*album\.m4a lasts 2\.033\d s, .* tracks 1\.0004 s"):
        join(one)
    with pytest.raises(RenderError, match=r"track1\.mp4 lasts 1\.\d+ s and its sound 1\.\d+ s in the album"):
        join(one, AlbumTrack(two.film, two.frames, two.samples + 3200, ""))
    with pytest.raises(RenderError, match=rf"track0\.mp4 holds {one.frames} frames, not {two.frames}"):
        join(
            AlbumTrack(one.film, two.frames, two.samples, ""),
            AlbumTrack(two.film, one.frames, one.samples, ""),
        )
    with pytest.raises(RenderError, match="no tracks to join"):
        join()


def test_a_truncated_film_is_refused(tmp_path: Path) -> None:
    album = make_album(tmp_path, NTSC)
    film = album.tracks[1].film
    film.write_bytes(film.read_bytes()[:-500])
    with pytest.raises(RenderError, match=r"track1\.mp4"):
        album.join(tmp_path / "film.mp4")


def test_a_cover_must_be_a_whole_jpeg_or_png(tmp_path: Path) -> None:
    album = make_album(tmp_path, NTSC, SONGS[:1])
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (60, 40, 3), np.uint8))
    picture.save(tmp_path / "a.gif")
    picture.save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:-900])
    (tmp_path / "text.jpg").write_text("no picture")
    Image.new("L", (8193, 1)).save(tmp_path / "wide.png")
    target = tmp_path / "film.mp4"
    for name, problem in (
        ("a.gif", "neither JPEG nor PNG"),
        ("cut.png", "can't be read|no picture"),
        ("text.jpg", "no picture that can be read"),
        ("wide.png", "wider or higher than 8192 pixels"),
    ):
        with pytest.raises(InputError, match=problem):
            album.join(target, cover=tmp_path / name)
    with pytest.raises(FileNotFoundError):
        album.join(target, cover=tmp_path / "nowhere.png")
    assert not target.exists()
