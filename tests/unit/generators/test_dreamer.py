"""What is dreamt in blocks: each alone is what it is among the others, they meet, and each is kept once."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from made_dreams import made_networks
from made_subjects import made_timeline
from synesthete.audio.timeline import Timeline
from synesthete.clock import film_clock
from synesthete.config.dream import DiffusionLook
from synesthete.errors import ConfigError
from synesthete.generators.base import Trajectory
from synesthete.generators.blocks import BlockStore
from synesthete.generators.dreamer import BLOCK, CONTEXT, Dreamer

GRID = [6, 11]
SECONDS = 10.0


def dreams(store: BlockStore | None = None, **look: Any) -> Dreamer:
    settings = DiffusionLook(**{"steps": 2, **look})
    return Dreamer(settings, made_networks(), store or BlockStore(), torch.device("cpu"))


def planned(dreamer: Dreamer, timeline: Timeline, *, seed: int = 3) -> Trajectory:
    moments = film_clock(Fraction(30)).moments(0, timeline.frame_count(Fraction(30)))
    tables = dreamer.plan(timeline, np.zeros((len(moments), 4)), moments, seed)
    return Trajectory(moments[:, None].astype(np.float32), ("at",), {"seed": seed, "grid": GRID}, tables)


@pytest.fixture(scope="module")
def timeline() -> Timeline:
    return made_timeline(SECONDS)


@pytest.fixture(scope="module")
def plan(timeline: Timeline) -> Trajectory:
    return planned(dreams(), timeline)


@pytest.fixture(scope="module")
def film(plan: Trajectory) -> np.ndarray:
    return dreams().latents(plan, np.arange(frames_of(plan)))


def frames_of(plan: Trajectory) -> int:
    return len(plan.tables["style"])


def test_latents_come_in_any_order_and_from_any_block(plan: Trajectory, film: np.ndarray) -> None:
    assert film.shape == (frames_of(plan), 4, *GRID)
    assert frames_of(plan) > 2 * BLOCK
    wanted = np.array([2 * BLOCK, 3, BLOCK - 1, BLOCK, frames_of(plan) - 1])
    assert np.array_equal(dreams().latents(plan, wanted), film[wanted])


def test_a_stored_plan_gives_the_same_latents(plan: Trajectory, film: np.ndarray, tmp_path: Path) -> None:
    plan.save(tmp_path)
    assert np.array_equal(dreams().latents(Trajectory.load(tmp_path), np.arange(4)), film[:4])


def test_blocks_meet(plan: Trajectory, film: np.ndarray) -> None:
    """In blocks it is what it would be in one piece, up to what is beyond the context."""
    whole = replace(dreams(), block=10 * BLOCK).latents(plan, np.arange(frames_of(plan)))
    assert np.abs(whole - film).max() < 0.02 * film.std()
    cut = replace(dreams(), context=0).latents(plan, np.arange(frames_of(plan)))
    assert np.abs(whole - cut).max() > 4 * np.abs(whole - film).max()


def test_a_block_depends_on_nothing_beyond_its_context(plan: Trajectory, film: np.ndarray) -> None:
    heard = np.array(plan.tables["heard"])
    heard[2 * (2 * BLOCK + CONTEXT) + dreams().networks.model.ear.reach * 2 :] = 0.7
    other = Trajectory(plan.rows, plan.columns, plan.fixed, {**plan.tables, "heard": heard})
    assert np.array_equal(dreams().latents(other, np.arange(2 * BLOCK)), film[: 2 * BLOCK])
    assert not np.array_equal(
        dreams().latents(other, np.arange(2 * BLOCK, frames_of(plan))), film[2 * BLOCK :]
    )


def test_each_block_is_kept_once(timeline: Timeline, plan: Trajectory, tmp_path: Path) -> None:
    def files() -> set[str]:
        return {path.name for path in tmp_path.iterdir()}

    first = dreams(BlockStore(tmp_path)).latents(plan, np.array([BLOCK]))
    (one,) = files()
    stamp = (tmp_path / one).stat().st_mtime_ns
    assert np.array_equal(dreams(BlockStore(tmp_path)).latents(plan, np.array([BLOCK])), first)
    assert files() == {one}
    assert (tmp_path / one).stat().st_mtime_ns == stamp
    changed = (
        (dreams(BlockStore(tmp_path), steps=3), plan),
        (dreams(BlockStore(tmp_path), audio_guidance_scale=4.0), plan),
        (dreams(BlockStore(tmp_path)).with_dtype(torch.bfloat16), plan),
        (dreams(BlockStore(tmp_path)), planned(dreams(), timeline, seed=4)),
        (dreams(BlockStore(tmp_path)), planned(dreams(), made_timeline(SECONDS, seed=1))),
        (dreams(BlockStore(tmp_path)), planned(dreams(style_seed=9), timeline)),
    )
    for count, (dreamer, trajectory) in enumerate(changed, start=2):
        assert not np.array_equal(dreamer.latents(trajectory, np.array([BLOCK])), first)
        assert len(files()) == count


def test_what_it_cannot_hear_is_refused(timeline: Timeline) -> None:
    heard = [place for place, name in enumerate(timeline.names) if name != "onset"]
    deaf = replace(timeline, table=timeline.table[:, heard], names=tuple(timeline.names[i] for i in heard))
    with pytest.raises(ConfigError, match="weights hear 'onset', which is no column of this song's Timeline"):
        planned(dreams(), deaf)
