"""The Timeline: frames, files, and a cache that trusts nothing."""

import json
import threading
from fractions import Fraction

import numpy as np
import pytest
import torch

from synesthete.audio.analysis import analyse_stream
from synesthete.audio.cache import TimelineCache, timeline_key
from synesthete.audio.columns import COLUMN_NAMES
from synesthete.audio.features import compute
from synesthete.audio.timeline import INDEX_FILE, SPECTRUM_FILE, TABLE_FILE, WAVE_FILE, Timeline
from synesthete.errors import InputError, SynestheteError
from synesthete.files import digest_json
from synesthete.seeding import generator_for

RATE = 44_100
FILES = (TABLE_FILE, SPECTRUM_FILE, WAVE_FILE, INDEX_FILE)
KEY = timeline_key("a" * 64)


def noise(length=3.0, channels=2, index=0):
    shape = (channels, round(length * RATE))
    return generator_for(2, "test.sound", index).uniform(-0.5, 0.5, shape).astype(np.float32)


def made(columns, spectrum=None, *, samples=None):
    """Make a timeline in memory from named columns."""
    ticks = len(next(iter(columns.values())))
    table = np.stack(list(columns.values()), axis=1).astype(np.float32)
    bands = np.zeros((ticks, 64), np.float32) if spectrum is None else spectrum
    return Timeline(table, tuple(columns), bands, samples or ticks * 441, RATE)


class TestAnalyseStream:
    def test_it_is_the_whole_computed_at_once(self, tmp_path):
        sound = noise(6.1)
        timeline = analyse_stream(np.array_split(sound, 7, axis=1), tmp_path)
        whole = compute(torch.from_numpy(sound)[None])[0].numpy()
        assert timeline.names == COLUMN_NAMES
        np.testing.assert_array_equal(timeline.table, whole)
        assert timeline.spectrum.shape == (610, 64)

    def test_sizes_of_chunks_change_no_byte(self, tmp_path):
        sound = noise(4.0)
        analyse_stream([sound], tmp_path / "one")
        analyse_stream(np.array_split(sound, 50, axis=1), tmp_path / "many")
        for name in FILES:
            assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "many" / name).read_bytes()

    def test_length_is_the_track_s_own(self, tmp_path):
        counted = []

        def chunks():
            yield noise(2.0)
            counted.append(96_000)

        timeline = analyse_stream(chunks(), tmp_path, sample_rate=48_000, samples=lambda: counted[0])
        assert (timeline.samples, timeline.sample_rate) == (96_000, 48_000)
        assert timeline.duration == 2
        assert timeline.frame_count(Fraction(30)) == 60

    def test_length_that_does_not_fit_is_an_error_of_ours(self, tmp_path):
        with pytest.raises(SynestheteError, match=r"heard 2\.000 s of a track of 2\.177 s"):
            analyse_stream([noise(2.0)], tmp_path, sample_rate=RATE, samples=96_000)

    def test_gain_is_constant_and_in_decibels(self, tmp_path):
        plain = analyse_stream([noise() / 8], tmp_path / "plain")
        louder = analyse_stream([noise() / 8], tmp_path / "louder", gain_db=6.0)
        rise = 60 * (louder.column("loudness") - plain.column("loudness"))
        np.testing.assert_allclose(rise[5:-5], 6.0, atol=1e-3)
        with pytest.raises(InputError, match="gain"):
            analyse_stream([noise()], tmp_path / "absurd", gain_db=float("nan"))

    @pytest.mark.parametrize("chunks", [[], [np.zeros((2, 0), np.float32)]])
    def test_no_sound_is_refused(self, tmp_path, chunks):
        with pytest.raises(InputError, match="no sound"):
            analyse_stream(chunks, tmp_path)

    def test_what_breaks_off_is_not_taken_for_a_timeline(self, tmp_path):
        def chunks():
            yield noise(5.0)
            raise OSError("the drive is gone")

        with pytest.raises(OSError, match="drive"):
            analyse_stream(chunks(), tmp_path)
        with pytest.raises(InputError, match="missing or damaged"):
            Timeline.load(tmp_path)


class TestColumns:
    def test_unknown_name_lists_what_comes_close(self):
        timeline = made({"loudness": np.zeros(10), "onset": np.zeros(10)})
        with pytest.raises(InputError, match="did you mean loudness"):
            timeline.column("loudnes")
        with pytest.raises(InputError, match="there are loudness, onset"):
            timeline.at_frames(Fraction(30), ["xyzzy"])

    def test_undocumented_columns_and_wrong_shapes_are_refused(self):
        with pytest.raises(InputError, match="glitter"):
            made({"glitter": np.zeros(10)})
        # Where jaxtyping checks shapes, it is first to say so.
        with pytest.raises((InputError, TypeError), match=r"shape|Type-check"):
            made({"loudness": np.zeros(10)}, np.zeros((9, 64), np.float32))
        with pytest.raises(InputError, match="no sound"):
            made({"loudness": np.zeros(0)}, samples=1)


class TestFrames:
    def test_24_frames_a_second_lose_no_onset(self):
        for tick in range(100, 150):
            onset = np.zeros(300)
            onset[tick] = 1.0
            timeline = made({"onset": onset})
            for rate in (Fraction(24_000, 1001), Fraction(24), Fraction(30), Fraction(60)):
                frames = timeline.at_frames(rate)[:, 0]
                hit = np.flatnonzero(frames == 1.0)
                assert len(hit) >= 1
                assert np.abs(hit / float(rate) - tick / 100).max() <= 0.0211

    def test_levels_are_the_mean_of_the_curve(self):
        values = generator_for(3, "test.curve").random(400)
        timeline = made({"loudness": values})
        frames = timeline.at_frames(Fraction(30))[:, 0]
        for frame in range(2, 115):
            fine = np.linspace(frame / 30 - 0.021, frame / 30 + 0.021, 20_001) * 100
            curve = np.interp(fine, np.arange(400), values)
            assert frames[frame] == pytest.approx(np.trapezoid(curve, dx=1 / 20_000), abs=1e-6)

    def test_constant_stays_constant_to_the_ends(self):
        timeline = made({"loudness": np.full(77, 0.3)}, np.full((77, 64), 0.7, np.float32))
        assert np.all(timeline.at_frames(Fraction(60)) == np.float32(0.3))
        assert np.all(timeline.spectrum_at_frames(Fraction(60)) == np.float32(0.7))

    def test_time_is_the_frame_s_moment(self):
        timeline = made({"time": np.arange(300) / 100, "loudness": np.zeros(300)})
        rate = Fraction(30_000, 1001)
        times = timeline.at_frames(rate, ["time"])[:, 0]
        np.testing.assert_array_equal(times, (np.arange(90) * 1001 / 30_000).astype(np.float32))

    def test_columns_come_in_the_order_asked_for(self):
        timeline = made({"loudness": np.zeros(50), "onset": np.ones(50), "bass": np.full(50, 0.5)})
        row = timeline.at_frames(Fraction(30), ["bass", "loudness", "onset"], 3, 4)
        np.testing.assert_array_equal(row, [[0.5, 0.0, 1.0]])

    def test_frames_outside_the_film_are_refused(self):
        timeline = made({"loudness": np.zeros(100)})
        assert timeline.at_frames(Fraction(30), start=30).shape == (0, 1)
        for start, stop in ((-1, 5), (0, 31), (9, 8)):
            with pytest.raises(InputError, match="which has 30 frames"):
                timeline.at_frames(Fraction(30), start=start, stop=stop)

    def test_shortest_track_has_a_frame(self, tmp_path):
        timeline = analyse_stream([np.ones((1, 1), np.float32)], tmp_path)
        assert timeline.at_frames(Fraction(24)).shape == (1, len(COLUMN_NAMES))


class TestFiles:
    def test_saved_and_loaded_is_the_same_and_read_only(self, tmp_path):
        timeline = analyse_stream([noise()], tmp_path / "first")
        timeline.save(tmp_path / "second")
        loaded = Timeline.load(tmp_path / "second")
        np.testing.assert_array_equal(loaded.table, timeline.table)
        np.testing.assert_array_equal(loaded.spectrum, timeline.spectrum)
        np.testing.assert_array_equal(loaded.wave, timeline.wave)
        assert loaded.digest() == timeline.digest()
        assert (loaded.samples, loaded.names) == (timeline.samples, timeline.names)
        assert isinstance(loaded.table, np.memmap)
        assert isinstance(loaded.wave, np.memmap)
        with pytest.raises(ValueError, match="read-only"):
            loaded.table[0, 0] = 1

    def test_digest_sees_every_value(self):
        values = np.zeros(40_000)
        before = made({"loudness": values}).digest()
        values[-1] = 1e-7
        assert made({"loudness": values}).digest() != before
        assert made({"onset": np.zeros(40_000)}).digest() != before

    def test_saving_over_an_older_one_replaces_it(self, tmp_path):
        made({"loudness": np.zeros(10)}).save(tmp_path)
        made({"onset": np.ones(20)}).save(tmp_path)
        assert Timeline.load(tmp_path).names == ("onset",)


def _truncate(path):
    path.write_bytes(path.read_bytes()[:-16])


def _flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _empty(path):
    path.write_bytes(b"")


def _extend(path):
    path.write_bytes(path.read_bytes() + b"\0")


def _remove(path):
    path.unlink()


def _folder(path):
    path.unlink()
    path.mkdir()


class TestCache:
    @pytest.fixture
    def sound(self):
        return noise(1.0)

    @pytest.fixture
    def cache(self, tmp_path):
        return TimelineCache(tmp_path / "cache")

    def test_key_is_what_the_timeline_is_made_from(self):
        keys = {
            timeline_key("a" * 64),
            timeline_key("b" * 64),
            timeline_key("a" * 64, start=Fraction(1, 3)),
            timeline_key("a" * 64, stop=Fraction(5)),
            timeline_key("a" * 64, options={"gain_db": 6.0}),
        }
        assert len(keys) == 5
        assert timeline_key("a" * 64, start=Fraction(2, 6)) in keys

    def test_built_once_and_found_again(self, cache, sound):
        builds = []

        def build(folder):
            builds.append(folder)
            analyse_stream([sound], folder, key=KEY)

        assert cache.get(KEY) is None
        first = cache.get_or_create(KEY, build)
        second = cache.get_or_create(KEY, build)
        assert len(builds) == 1
        assert first.digest() == second.digest()
        assert [path.name for path in cache.folder.iterdir()] == [KEY]

    @pytest.mark.parametrize("name", FILES)
    @pytest.mark.parametrize("harm", [_truncate, _flip, _empty, _extend, _remove, _folder])
    def test_damaged_entry_is_absent_and_made_anew(self, cache, sound, name, harm):
        def build(folder):
            analyse_stream([sound], folder, key=KEY)

        good = cache.get_or_create(KEY, build).digest()
        harm(cache.folder / KEY / name)
        assert cache.get(KEY) is None
        assert cache.get_or_create(KEY, build).digest() == good
        assert [path.name for path in cache.folder.iterdir()] == [KEY]

    @pytest.mark.parametrize("text", ["null", "[]", "{}", '{"digest": 3}', "[" * 100_000, "\xff\xfe"])
    def test_index_that_is_none_is_absent(self, cache, text):
        cache.put(KEY, made({"loudness": np.zeros(10)}))
        (cache.folder / KEY / INDEX_FILE).write_text(text, encoding="latin-1")
        assert cache.get(KEY) is None

    @pytest.mark.parametrize(
        "change",
        [{"samples": 0}, {"names": ["glitter"]}, {"names": []}, {"format": 2}, {"format": 99}, {"files": {}}],
    )
    def test_index_that_lies_consistently_is_absent(self, cache, change):
        cache.put(KEY, made({"loudness": np.zeros(10)}))
        path = cache.folder / KEY / INDEX_FILE
        index = {**json.loads(path.read_text()), **change}
        index.pop("digest")
        path.write_text(json.dumps({**index, "digest": digest_json(index)}))
        assert cache.get(KEY) is None

    def test_entry_of_another_key_is_absent(self, cache):
        other = timeline_key("b" * 64)
        cache.put(other, made({"loudness": np.zeros(10)}))
        (cache.folder / other).rename(cache.folder / KEY)
        assert cache.get(KEY) is None

    def test_key_names_no_other_place(self, cache):
        for key in ("../secret", "", "A" * 64, "a" * 63, "/" + "a" * 63, "a" * 64 + "\n"):
            with pytest.raises(InputError, match="timeline key"):
                cache.get(key)

    def test_failed_build_leaves_nothing(self, cache):
        def build(folder):
            (folder / TABLE_FILE).write_bytes(b"half")
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            cache.get_or_create(KEY, build)
        assert list(cache.folder.iterdir()) == []

    def test_build_that_wrote_nothing_is_an_error(self, cache):
        with pytest.raises(InputError, match="missing or damaged"):
            cache.get_or_create(KEY, lambda folder: None)
        assert cache.get(KEY) is None

    def test_many_at_once_agree(self, cache, sound):
        """Every builder has begun before any ends, and a damaged entry lies in the way."""
        workers = 4
        cache.put(KEY, made({"loudness": np.zeros(10)}))
        _flip(cache.folder / KEY / TABLE_FILE)
        barrier = threading.Barrier(workers)
        digests, failures = [], []

        def build(folder):
            made({"onset": np.ones(30)}).save(folder, key=KEY)
            barrier.wait()

        def work():
            try:
                digests.append(cache.get_or_create(KEY, build).digest())
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=work) for _ in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert len(set(digests)) == 1
        assert len(digests) == workers
        assert [path.name for path in cache.folder.iterdir()] == [KEY]
