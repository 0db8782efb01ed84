from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from synesthete.audio.timeline import Timeline
from synesthete.config.control import Control, Envelope, Oscillator, Phase, Wander
from synesthete.config.modulation import Modulation
from synesthete.errors import ConfigError
from synesthete.generators.control import Signals, build_signals, follow, integrate, modulate, wander_noise

COLUMNS = ("loudness", "silence", "bass", "mid", "treble", "onset", "beat", "section")


def make_timeline(seconds: float, **columns: np.ndarray | float) -> Timeline:
    """A Timeline of constant middling music, but for the columns that are given."""
    ticks = round(seconds * 100)
    table = np.zeros((ticks, len(COLUMNS)), np.float32)
    for index, name in enumerate(COLUMNS):
        table[:, index] = columns.get(name, 0.0 if name in ("silence", "section") else 0.6)
    return Timeline(table, COLUMNS, np.zeros((ticks, 64), np.float32), ticks * 441, 44_100)


def steps(seconds: float, *changes: tuple[float, float]) -> np.ndarray:
    """A column that takes new values at given moments."""
    time_s = np.arange(round(seconds * 100)) / 100
    values = np.zeros_like(time_s)
    for moment, value in changes:
        values[time_s >= moment] = value
    return values


def control_of(**groups: object) -> Control:
    return Control.model_validate(groups)


@pytest.fixture(scope="module")
def song_with_silence() -> Timeline:
    """Music, silence from 2 to 5 s, music."""
    silence = steps(8, (2, 1), (5, 0))
    return make_timeline(8, silence=silence, loudness=0.8 * (1 - silence), onset=0.5 * (1 - silence))


# Envelopes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("attack", [0.0, 0.02, 0.06, 0.25])
@pytest.mark.parametrize("release", [0.0, 0.1, 2.0])
def test_a_rise_is_centred_on_the_musics_own(attack: float, release: float) -> None:
    column = steps(4, (2.0, 1.0))
    curve = follow(column, Envelope(column="bass", attack=attack, release=release))
    half = np.interp(0.5, curve[100:300], np.arange(100, 300) / 100)
    assert half == pytest.approx(1.995, abs=0.006)  # the column itself rises between 1.99 and 2.00 s
    assert curve[: 199 - round(attack * 100)].max() < 1e-6
    assert curve[201 + round(attack * 100) :].min() > 1 - 1e-6


@pytest.mark.parametrize("release", [0.1, 0.5, 2.0])
def test_release_is_a_time_constant(release: float) -> None:
    column = steps(10, (1, 1), (2, 0))
    curve = follow(column, Envelope(column="bass", attack=0.0, release=release))
    at = lambda seconds: float(curve[round(seconds * 100)])  # noqa: E731
    assert at(1.99) == pytest.approx(1.0, abs=1e-6)
    assert at(1.99 + release) == pytest.approx(np.exp(-1), abs=1e-6)
    assert at(1.99 + 2 * release) == pytest.approx(np.exp(-2), abs=1e-6)


def test_a_louder_hit_is_seen_through_a_release_and_a_quieter_one_is_not() -> None:
    column = steps(3, (1.0, 0.5), (1.01, 0), (1.1, 1.0), (1.11, 0), (1.2, 0.1), (1.21, 0))
    curve = follow(column, Envelope(column="bass", attack=0.0, release=0.5))
    assert curve[110] == pytest.approx(1.0, abs=1e-6)
    assert curve[120] == pytest.approx(np.exp(-0.1 / 0.5), abs=1e-6)


def test_envelopes_are_rescaled_and_bounded() -> None:
    column = np.linspace(-0.5, 1.5, 500)
    envelope = Envelope(column="bass", floor=0.2, ceil=0.8, gamma=2.0, attack=0.0, release=0.0)
    curve = follow(column, envelope)
    np.testing.assert_allclose(curve, np.clip((column - 0.2) / 0.6, 0, 1) ** 2, atol=1e-12)
    smooth = follow(column, envelope.model_copy(update={"attack": 0.1, "release": 0.3}))
    assert smooth.min() >= 0
    assert smooth.max() <= 1 + 1e-8


@pytest.mark.parametrize("ticks", [1, 2, 7])
def test_the_shortest_songs_have_envelopes(ticks: int) -> None:
    curve = follow(np.ones(ticks), Envelope(column="bass", attack=1.0, release=1.0))
    np.testing.assert_allclose(curve, np.ones(ticks), atol=1e-6)


def test_long_songs_keep_their_releases() -> None:
    column = np.zeros(100 * 3600 * 10)
    column[-50] = 1.0
    curve = follow(column, Envelope(column="bass", attack=0.0, release=0.05))
    assert curve[-45] == pytest.approx(np.exp(-1), rel=1e-3)


def test_unknown_columns_are_named_with_the_choice() -> None:
    control = control_of(envelopes={"odd": {"column": "brightness"}})
    with pytest.raises(
        ConfigError,
        match=r"control\.envelopes\.odd\.column = 'brightness' is no Timeline column; known are loud",
    ):
        build_signals(make_timeline(1), control, frame_rate=Fraction(30), seed=0)


# Silence ----------------------------------------------------------------------------------------------------


def test_in_silence_signals_are_zero_and_phases_rest(song_with_silence: Timeline) -> None:
    control = control_of(oscillators={"lfo": {"phase": "flow", "ratio": 2}})
    curves = build_signals(song_with_silence, control, frame_rate=Fraction(50), seed=1).curves
    quiet, loud = slice(101, 249), slice(10, 95)
    for name in control.envelopes:
        assert np.abs(curves[name][quiet]).max() < 1e-6, name
    np.testing.assert_allclose(curves["calm"][quiet], 1.0)
    np.testing.assert_allclose(curves["calm"][loud], 0.0)
    free = [name for name, phase in control.phases.items() if phase.beats is None and phase.bars is None]
    for name in (*free, *control.wander, "lfo"):
        assert np.ptp(curves[name][quiet]) < 1e-9, name
        assert np.ptp(curves[name][loud]) > 1e-4, name
    assert curves["energy"][loud].min() > 0.1


def test_music_goes_on_where_it_stopped(song_with_silence: Timeline) -> None:
    curves = build_signals(song_with_silence, Control(), frame_rate=Fraction(50), seed=1).curves
    for name in ("flow", "turn", "drift"):
        steps_taken = np.abs(np.diff(curves[name]))
        assert steps_taken.max() < 4 * steps_taken[10:95].max(), name


# Frame rates ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [Fraction(24), Fraction(30), Fraction(30_000, 1001)])
def test_frame_i_is_frame_2i_at_twice_the_rate(rate: Fraction, song_with_silence: Timeline) -> None:
    control = control_of(oscillators={"lfo": {"phase": "turn"}})
    slow = build_signals(song_with_silence, control, frame_rate=rate, seed=3)
    fast = build_signals(song_with_silence, control, frame_rate=2 * rate, seed=3)
    assert slow.frames == song_with_silence.frame_count(rate)
    assert set(slow.curves) == control.names()
    for name, curve in slow.curves.items():
        np.testing.assert_array_equal(curve, fast.curves[name][::2][: slow.frames], err_msg=name)


# Phases -----------------------------------------------------------------------------------------------------


def test_a_phase_counts_turns() -> None:
    music = np.ones(1001)
    turns = integrate(Phase(rate=0.25), {}, music)
    assert turns[0] == 0
    assert turns[-1] == pytest.approx(2.5)
    driven = integrate(
        Phase(rate=0.25, drive={"energy": 0.5, "body": -0.25}), {"energy": music, "body": music}, music
    )
    assert driven[-1] == pytest.approx(5.0)
    assert integrate(Phase(rate=0.25), {}, 0 * music)[-1] == 0


def test_oscillators_keep_to_their_phase() -> None:
    timeline = make_timeline(4)
    control = control_of(
        phases={"beat_turn": {"rate": 0.5}},
        oscillators={
            "one": {"phase": "beat_turn"},
            "four": {"phase": "beat_turn", "ratio": 4, "offset": 0.25},
        },
    )
    curves = build_signals(timeline, control, frame_rate=Fraction(30), seed=0).curves
    time_s = np.arange(120) / 30
    # Between two rows of 100 Hz, curves are straight.
    np.testing.assert_allclose(curves["one"], np.sin(np.pi * time_s), atol=2e-3)
    np.testing.assert_allclose(curves["four"], np.cos(4 * np.pi * time_s), atol=2e-3)
    assert Oscillator(phase="flow").ratio == 1


# Wander -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wander() -> Callable[..., np.ndarray]:
    def noise(
        *, seed: int = 1, name: str = "drift", correlation: float = 2.0, seconds: float = 4000
    ) -> np.ndarray:
        return wander_noise(
            np.arange(round(seconds * 100)) / 100, Wander(correlation=correlation), seed=seed, name=name
        )

    return noise


def test_wander_is_seeded(wander: Callable[..., np.ndarray]) -> None:
    np.testing.assert_array_equal(wander(), wander())
    for other in (wander(seed=2), wander(name="sway")):
        assert abs(np.corrcoef(wander(), other)[0, 1]) < 0.1


def test_wander_is_smooth_and_forgets(wander: Callable[..., np.ndarray]) -> None:
    curve = wander()
    assert abs(curve.mean()) < 0.1
    assert 0.35 < curve.std() < 0.65
    assert np.abs(curve).max() <= 1.5
    inner = np.abs(curve) < 1.49  # where it is not clipped
    assert np.abs(np.diff(curve, 2))[inner[1:-1] & inner[:-2] & inner[2:]].max() < 1e-3
    lag = lambda seconds: np.corrcoef(curve[: -round(seconds * 100)], curve[round(seconds * 100) :])[0, 1]  # noqa: E731
    assert lag(0.1) > 0.98
    assert abs(lag(8)) < 0.1


def test_a_longer_song_begins_with_the_same_wander(wander: Callable[..., np.ndarray]) -> None:
    np.testing.assert_array_equal(wander(seconds=10), wander(seconds=2000)[:1000])


# Levels and parameters --------------------------------------------------------------------------------------


def test_song_gain_lifts_a_quiet_master_but_no_silence() -> None:
    silence = steps(6, (3, 1))
    timeline = make_timeline(6, silence=silence, loudness=0.45 * (1 - silence), bass=0.45 * (1 - silence))
    plain, lifted = (
        build_signals(timeline, Control(song_gain=gain), frame_rate=Fraction(30), seed=0).curves
        for gain in (False, True)
    )
    assert lifted["energy"][10:80].mean() > 3 * plain["energy"][10:80].mean()
    assert np.abs(lifted["energy"][91:]).max() < 1e-6
    np.testing.assert_array_equal(lifted["spark"], plain["spark"])  # onsets are no levels


def test_song_gain_never_turns_a_loud_master_down() -> None:
    timeline = make_timeline(2, loudness=0.95)
    plain, lifted = (
        build_signals(timeline, Control(song_gain=gain), frame_rate=Fraction(30), seed=0).curves["energy"]
        for gain in (False, True)
    )
    np.testing.assert_array_equal(plain, lifted)


def test_a_parameter_moves_by_its_signals() -> None:
    signals = Signals(Fraction(30), {"a": np.array([0.0, 0.5, 1.0]), "b": np.array([1.0, 0.0, 0.0])})
    assert signals.frames == 3
    np.testing.assert_allclose(modulate(Modulation(base=2.0, by={"a": 4.0, "b": -1.0}), signals), [1, 4, 6])
    np.testing.assert_allclose(modulate(Modulation(base=2.0), signals), [2, 2, 2])


def test_a_song_of_one_row_has_signals() -> None:
    signals = build_signals(make_timeline(0.01), Control(), frame_rate=Fraction(30), seed=0)
    assert signals.frames == 1
    assert all(np.isfinite(curve).all() for curve in signals.curves.values())
