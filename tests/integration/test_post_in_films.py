"""Post effects in films: the same frames however they are rendered, and tables from the command line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import synesthete
from synesthete.media.mux import iterate_frames

Command = Callable[..., Any]
EVERYTHING = """\
summary: everything at once
post:
  tone_curve: punch
  lut: warm.cube
  balance: {saturation: 1.2}
  vignette: {base: 0.2, pulse: 0.3}
  grain: 0.2
  chroma_shift: {spark: 0.02}
  bloom: {energy: 0.4}
  trails: 0.8
  trail_seconds: 0.2
  sharpen: 0.3
"""
WARM = "LUT_3D_SIZE 2\n" + "".join(
    f"{r} {0.9 * g} {0.8 * b}\n" for b in (0, 1) for g in (0, 1) for r in (0, 1)
)


@pytest.fixture(scope="module")
def track(make_song: Command) -> Path:
    return make_song(4.4)  # two Segments


@pytest.fixture(scope="module")
def look(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("look")
    (folder / "warm.cube").write_text(WARM)
    (folder / "look.yaml").write_text(EVERYTHING)
    return folder / "look.yaml"


def frames_of(track: Path, workspace: Path, **options: Any) -> np.ndarray:
    given = {"resolution": "64x64", "kernels": "eager", "workers": 1, "certificate": False, "crf": 0}
    film = synesthete.render(track, workspace=workspace, **given | options)
    return np.stack(list(iterate_frames(film.film)))


def test_workers_frame_rate_and_start_change_no_frame(track: Path, look: Path, tmp_path: Path) -> None:
    one, two = (
        frames_of(track, tmp_path / str(workers), preset=str(look), workers=workers, fps=24)
        for workers in (1, 2)
    )
    assert len(one) == 106
    np.testing.assert_array_equal(one, two)


def test_thirty_frames_a_second_are_every_second_of_sixty(track: Path, look: Path, tmp_path: Path) -> None:
    slow, fast = (
        frames_of(track, tmp_path / str(fps), preset=str(look), fps=fps, end=0.5) for fps in (30, 60)
    )
    np.testing.assert_array_equal(slow, fast[::2])


def test_a_table_from_the_command_line_is_another_film(track: Path, look: Path, tmp_path: Path) -> None:
    plain = frames_of(track, tmp_path, end=0.3)
    warm = frames_of(track, tmp_path, end=0.3, lut=look.parent / "warm.cube")
    bright = plain.mean((1, 2)) > 8
    ratio = (warm.mean((1, 2)) / np.maximum(plain.mean((1, 2)), 1e-9))[bright.all(1)].mean(0)
    np.testing.assert_allclose(ratio, [1.0, 0.9, 0.8], atol=0.05)


def test_a_table_that_is_none_ends_with_one_sentence(track: Path, tmp_path: Path, cli: Command) -> None:
    bad = tmp_path / "bad.cube"
    bad.write_text("LUT_3D_SIZE 2\n0 0 nan\n")
    outcome = cli("render", track, "--lut", bad, "--workspace", tmp_path / "there")
    assert outcome.status == 2
    assert "bad.cube" in outcome.message
    assert not (tmp_path / "there" / "renders").exists()
