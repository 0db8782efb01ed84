"""Which clip an item is."""

from collections import Counter

import numpy as np
import pytest

from synesthete.config.data import DataConfig
from synesthete.programs.sample import sample_style
from synesthete.training.plan import bucket_of, partner_of, plan_clip
from synesthete.training.reactive import REACTIVE


def test_an_item_is_planned_from_its_number_alone() -> None:
    config = DataConfig(seed=3)

    assert plan_clip(config, 77) == plan_clip(config, 77)
    assert plan_clip(config, 77) != plan_clip(DataConfig(seed=4), 77)


def test_clips_of_a_song_are_spread_over_all_of_it_and_fit_into_it() -> None:
    config = DataConfig(clips_per_song=8, song_seconds=12, frame_rate=15, clip_frames=16, context_s=1.0)
    plans = [plan_clip(config, index) for index in range(80)]

    for song in range(10):
        starts = sorted(plan.first_frame for plan in plans if plan.song == song)
        assert len(starts) == 8
        assert starts[0] >= 1.0 * 15  # trails need it
        assert starts[-1] + 16 + 15 <= 12 * 15
        assert max(np.diff(starts)) <= 2 * (12 * 15 - 16 - 15 - 15) / 8 + 1


def test_a_pair_is_two_moments_of_one_song_in_one_program() -> None:
    config = DataConfig(batch_size=6, clips_per_song=4)
    for index in range(0, 48, 2):
        own, other = plan_clip(config, index), plan_clip(config, partner_of(index))

        assert (own.song, own.program, own.bucket, own.pair) == (
            other.song,
            other.program,
            other.bucket,
            other.pair,
        )
        assert own.first_frame != other.first_frame
        assert partner_of(other.number) == own.number


def test_a_batch_has_one_shape_and_shapes_come_as_often_as_they_weigh() -> None:
    config = DataConfig(batch_size=4, buckets={"tall": 1.0, "square": 3.0})
    shapes = Counter(bucket_of(config, batch) for batch in range(2000))

    assert set(shapes) == {"square", "tall"}
    assert abs(shapes["tall"] / 2000 - 0.25) < 0.04  # four standard deviations
    for batch in range(10):
        items = range(4 * batch, 4 * batch + 4)
        assert {plan_clip(config, index).bucket for index in items} == {bucket_of(config, batch)}


def test_the_share_of_reactive_programs_follows_its_schedule() -> None:
    config = DataConfig(batch_size=2, audio_debug_mix_prob=((0, 1.0), (400, 0.0)))
    reactive = np.array([plan_clip(config, 2 * batch).program < 0 for batch in range(600)])

    assert reactive[:100].mean() > 0.75  # 0.875 in the mean
    assert 0.3 < reactive[150:250].mean() < 0.7
    assert not reactive[400:].any()


def test_debug_mode_draws_reactive_programs_only_and_all_of_them() -> None:
    config = DataConfig(audio_debug_mode=True)
    programs = {plan_clip(config, index).program for index in range(400)}

    assert programs == {-1 - place for place in range(len(REACTIVE))}


def test_programs_come_from_the_part_of_the_catalogue_that_is_asked_for() -> None:
    config = DataConfig(programs=10, first_program=100)

    assert {plan_clip(config, index).program for index in range(0, 600, 2)} == set(range(100, 110))


@pytest.mark.parametrize("scale", [0.5, 1.0, 1.5])
def test_styles_spread_as_far_as_they_are_asked_to(scale: float) -> None:
    config = DataConfig(style_scale=scale, programs=2000)
    styles = [sample_style(plan_clip(config, index).program) for index in range(0, 3000, 2)]

    # Of a catalogue that ends somewhere, wide spreads are a little less wide.
    assert abs(float(np.std(styles)) / scale - 1.0) < (0.05 if scale <= 1 else 0.15)
