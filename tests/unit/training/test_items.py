"""Items and batches: what they hold, and that they are a function of their number."""

import json
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from synesthete.audio.columns import COLUMN_NAMES
from synesthete.clock import ANALYSIS_SAMPLE_RATE
from synesthete.config.data import BUCKETS, DataConfig
from synesthete.programs.program import Program
from synesthete.training.items import Item, frame_rows, make_batch, make_items, stack
from synesthete.training.plan import bucket_of, partner_of, plan_clip
from synesthete.training.programs import program_of
from synesthete.training.songs import Songs

CONFIG = DataConfig(
    seed=5, song_seconds=5, clips_per_song=4, batch_size=4, clip_frames=4, style_frames=2, context_s=0.2,
    audio_debug_mode=True, crops=2, crop_size=32, crop_scales=(1.0, 3.0),
)  # fmt: skip


@pytest.fixture(scope="module")
def songs() -> Songs:
    return Songs(CONFIG)


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def same(one: Item, other: Item) -> bool:
    pairs = zip(one, other, strict=True)
    return all(torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b for a, b in pairs)


def test_an_item_has_the_shapes_that_are_asked_for(songs: Songs) -> None:
    (item,) = make_items(CONFIG, [9], songs)
    width, height = BUCKETS[bucket_of(CONFIG, 2)]

    assert item.frames.shape == (4, 3, height, width)
    assert item.frames.dtype == item.style_frames.dtype == item.crops.dtype == torch.uint8
    assert item.rows.shape == (4 + 2 * 3, len(COLUMN_NAMES))
    assert item.style_frames.shape == (2, 3, height, width)
    assert item.style.shape == (4,)
    assert item.crops.shape == (2, 3, 32, 32)
    assert item.crop_places.shape == (2, 5)
    assert Program.from_text(item.program) == program_of(item.program_number)


def test_rows_are_those_of_the_frames_moments(songs: Songs) -> None:
    (item,) = make_items(CONFIG, [9], songs)
    plan = plan_clip(CONFIG, 9)
    times = item.rows[:, COLUMN_NAMES.index("time")]

    frames = np.arange(plan.first_frame - 3, plan.first_frame + 4 + 3)
    np.testing.assert_allclose(times.numpy(), frames / 15, atol=1e-6)
    facts = json.loads(item.facts)
    assert abs(facts["start_s"] - plan.first_frame / 15) < 1e-4
    # What is loud in the sound there is loud in the rows.
    sound = songs.song(plan.song).sound
    window = 1024
    for row, time in zip(item.rows, times.tolist(), strict=True):
        middle = round(time * ANALYSIS_SAMPLE_RATE)
        power = float(np.mean(sound[:, middle - window : middle + window] ** 2))
        if power > 1e-5:
            level = 1 + 10 * np.log10(power) / 60
            assert abs(float(row[COLUMN_NAMES.index("loudness")]) - level) < 0.12


def test_more_rows_to_a_frame_are_between_those_of_fewer(songs: Songs) -> None:
    dense = CONFIG.model_copy(update={"rows_per_frame": 3})
    (few,), (many,) = make_items(CONFIG, [9], songs), make_items(dense, [9], songs)
    first = plan_clip(CONFIG, 9).first_frame - CONFIG.context_frames

    assert many.rows.shape[0] == 3 * few.rows.shape[0]
    assert torch.equal(many.rows[::3], few.rows)
    times = many.rows[:, COLUMN_NAMES.index("time")].double()
    np.testing.assert_allclose(times.numpy(), (3 * first + np.arange(len(times))) / 45, atol=1e-6)
    for config, item in ((CONFIG, few), (dense, many)):
        assert torch.equal(frame_rows(config, item), few.rows[3:7])


def test_style_frames_are_frames_of_the_partner(songs: Songs) -> None:
    item, other = make_items(CONFIG, [6, partner_of(6)], songs)

    assert torch.equal(item.style_frames, other.frames[[1, 3]])
    assert torch.equal(other.style_frames, item.frames[[1, 3]])
    assert item.program == other.program


def test_an_item_is_the_same_alone_in_its_batch_and_by_any_number_of_threads(
    songs: Songs, threads: None
) -> None:
    config = CONFIG.model_copy(update={"audio_debug_mode": False, "programs": 2, "variation": 0.2})
    torch.set_num_threads(1)
    together = make_items(config, range(4, 8), Songs(config))
    torch.set_num_threads(2)
    (alone,) = make_items(config, [6], Songs(config))

    assert same(together[2], alone)
    assert not same(together[2], together[3])


def test_a_batch_stacks_its_items(songs: Songs) -> None:
    items = make_items(CONFIG, range(4, 8), songs)
    batch = make_batch(CONFIG, 1, songs)

    assert batch.number.tolist() == [4, 5, 6, 7]
    assert torch.equal(batch.frames, torch.stack([item.frames for item in items]))
    assert batch.facts == tuple(item.facts for item in items)
    assert batch.program_number.tolist() == [item.program_number for item in items]
    assert stack(items).rows.shape == (4, *items[0].rows.shape)
    few = batch.first(2)
    assert few.number.tolist() == [4, 5]
    assert torch.equal(few.frames, batch.frames[:2])
    assert few.program == batch.program[:2]


def test_crops_are_cut_from_larger_pictures_of_the_same_frames(songs: Songs) -> None:
    config = CONFIG.model_copy(update={"crops": 6, "crop_scales": (1.0, 1.0)})
    (item,) = make_items(config, [3], songs)

    for crop, (frame, width, height, left, top) in zip(item.crops, item.crop_places.tolist(), strict=True):
        assert (height, width) == tuple(item.frames.shape[-2:])
        there = item.frames[frame, :, top : top + 32, left : left + 32]
        assert int((crop.int() - there.int()).abs().max()) <= 1  # at most by rounding


def test_crops_are_as_large_as_the_configuration_says(songs: Songs) -> None:
    config = CONFIG.model_copy(update={"crops": 40, "crop_scales": (2.0, 6.0)})
    (item,) = make_items(config, [3], songs)
    frame, width, height, left, top = item.crop_places.unbind(1)
    scale = width / item.frames.shape[-1]

    assert 2.0 <= float(scale.min()) < 3.0
    assert 4.5 < float(scale.max()) <= 6.01
    assert bool((left >= 0).all() and (left + 32 <= width).all() and (top >= 0).all())
    assert bool((top + 32 <= height).all())
    assert set(frame.tolist()) == {0, 1, 2, 3}


def test_programs_vary_by_pair_when_they_are_asked_to() -> None:
    plain = program_of(3)
    varied = [program_of(3, variation=0.3, seed=1, pair=pair) for pair in (0, 0, 1)]

    assert varied[0] == varied[1] != varied[2]
    assert all(program != plain and program.structure == plain.structure for program in varied)
    assert program_of(-1, variation=0.3) == program_of(-1)
