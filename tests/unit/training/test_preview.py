import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from synesthete.audio.columns import COLUMN_NAMES
from synesthete.clock import ANALYSIS_SAMPLE_RATE
from synesthete.config.data import DataConfig
from synesthete.media.decode import decode_sound
from synesthete.media.mux import film_facts, iterate_frames
from synesthete.programs.program import Program
from synesthete.training.dataset import LiveItems
from synesthete.training.plan import plan_clip
from synesthete.training.preview import Preview, clips_sheet, write_preview
from synesthete.training.songs import Songs
from synesthete.training.stats import LOOKS, PERCENTILES, measure_items

CONFIG = DataConfig(
    seed=2, audio_debug_mode=True, clip_frames=12, style_frames=0, context_s=0.2, warm_up_s=0.2,
    song_seconds=5, clips_per_song=2, batch_size=2,
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("preview")


@pytest.fixture(scope="module")
def written(folder: Path) -> Preview:
    return write_preview(CONFIG, folder, count=2)


def test_a_film_shows_and_sounds_what_the_item_is(written: Preview) -> None:
    for path, number in zip(written.films, (0, 2), strict=True):
        (item,) = LiveItems(CONFIG)([number])
        facts = film_facts(path)
        assert (facts.frames, facts.frame_rate, facts.constant_rate) == (12, Fraction(15), True)
        assert facts.sound_samples == 12 * ANALYSIS_SAMPLE_RATE // 15
        size = (item.frames.shape[3], item.frames.shape[2])
        assert facts.width % size[0] == 0
        for seen, meant in zip(iterate_frames(path, size=size), item.frames.numpy(), strict=True):
            assert np.abs(seen.astype(float) - meant.transpose(1, 2, 0)).mean() < 6
        heard = np.concatenate(list(decode_sound(path)), axis=1)
        plan = plan_clip(CONFIG, number)
        start = plan.first_frame * ANALYSIS_SAMPLE_RATE // 15
        sound = Songs(CONFIG).song(plan.song).sound[:, start : start + heard.shape[1]]
        if np.abs(sound).max() > 1e-3:
            middle = slice(2_000, -2_000)
            assert np.corrcoef(heard[0, middle], sound[0, middle])[0, 1] > 0.97


def test_programs_can_be_drawn_again(written: Preview) -> None:
    for path, number in zip(written.programs, (0, 2), strict=True):
        read = json.loads(path.read_text())
        (item,) = LiveItems(CONFIG)([number])
        assert Program.from_json(read["program"]).to_json() == json.loads(item.program)
        assert read["facts"]["song"] == number // 2
        assert "truth" in read["facts"]


def test_nothing_else_is_left(written: Preview, folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {
        "sheet.png", "clip-0.mp4", "clip-2.mp4", "program-0.json", "program-2.json",
    }  # fmt: skip
    with Image.open(written.sheet) as sheet:
        assert sheet.width > 900


def test_the_strip_shows_loudness_silence_and_beats() -> None:
    (item,) = LiveItems(CONFIG)([0])
    around = CONFIG.context_frames
    rows = item.rows.clone()
    rows[:] = 0
    rows[around + 6 :, COLUMN_NAMES.index("loudness")] = 1
    rows[around : around + 6, COLUMN_NAMES.index("silence")] = 1
    facts = json.loads(item.facts)
    facts["truth"]["beats"] = [0.4]
    sheet = clips_sheet(CONFIG, [item._replace(rows=rows, facts=json.dumps(facts))]).astype(int)
    strip = sheet[-60:-20]  # above the label
    bottom = strip[np.abs(strip - (232, 168, 66)).sum(axis=2).argmin() // strip.shape[1]]
    loud = np.flatnonzero((bottom == (232, 168, 66)).all(axis=1))
    still = np.flatnonzero((bottom == (60, 66, 92)).all(axis=1))
    beat = np.flatnonzero((bottom == 255).all(axis=1))
    assert still.max() < beat.min() <= beat.max() < loud.max()
    assert len(loud) == pytest.approx(len(still), abs=3)
    assert beat.mean() == pytest.approx((still.min() + loud.max()) / 2, abs=3)


def test_figures_are_those_of_the_items() -> None:
    items = LiveItems(CONFIG)(range(4))
    counted: list[int] = []
    figures = measure_items(CONFIG, items, on_item=counted.append)
    assert counted == [1, 2, 3, 4]
    assert figures["items"] == 4
    assert set(figures["picture"]) == {*LOOKS, "motion"}
    assert figures["programs"] == {"reactive": 1.0, "words": {}}
    assert figures["music"] == {"recorded": 0.0}
    around = CONFIG.context_frames
    rows = np.concatenate([item.rows[around:-around].numpy() for item in items])
    assert set(figures["columns"]) == set(COLUMN_NAMES) - {"time"}
    for name in ("loudness", "centroid"):
        wanted = np.percentile(rows[:, COLUMN_NAMES.index(name)].astype(float), PERCENTILES)
        assert list(figures["columns"][name].values()) == pytest.approx(wanted, abs=1e-4)
    assert figures["reactivity"]["brightness"]["follows"] is None


def test_plain_pictures_have_the_colours_that_they_have() -> None:
    (item,) = LiveItems(CONFIG)([0])
    grey, red = torch.full_like(item.frames, 128), torch.zeros_like(item.frames)
    red[:, 0] = 200
    red[:, 1:] = 50
    figures = measure_items(CONFIG, [item._replace(frames=grey), item._replace(frames=red)])["picture"]
    assert [figures["saturation"][key] for key in ("p0", "p100")] == pytest.approx([0.0, 0.75], abs=0.02)
    assert figures["brightness"]["p100"] == pytest.approx(128 / 255, abs=0.01)
    for name in ("contrast", "dark", "clipped", "motion"):
        assert figures[name]["p100"] == pytest.approx(0.0, abs=0.004)  # dithered


def test_a_clip_is_shown_as_it_is_trained_on(tmp_path: Path) -> None:
    config = CONFIG.model_copy(update={"style_frames": 2, "crops": 1, "clip_frames": 2})
    write_preview(config, tmp_path, count=1)
    (item,) = LiveItems(config)([0])
    size = (item.frames.shape[3], item.frames.shape[2])
    for seen, meant in zip(
        iterate_frames(tmp_path / "clip-0.mp4", size=size), item.frames.numpy(), strict=True
    ):
        assert np.abs(seen.astype(float) - meant.transpose(1, 2, 0)).mean() < 6
