"""Frames of the CPPN generator are a pure function of Trajectory, frame and size."""

import re
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from synesthete.config.preset import CppnLook, Preset, load_preset
from synesthete.generators.base import Generator, Size, Trajectory
from synesthete.generators.control import Signals
from synesthete.generators.cppn import CppnGenerator, Precision
from synesthete.generators.fuse import Fuser

FRAMES = 12
SMALL = Size(96, 54)
TINY, WIDE = "silk", "wide"
WIDE_NET = {"layers": 3, "units": 32, "gain": 1.5, "bias": 0.4}


def preset_named(name: str) -> Preset:
    if name != WIDE:
        return load_preset(name)
    return Preset(name=WIDE, summary="A wide net", cppn=CppnLook.model_validate({"net": WIDE_NET}))


def signals_for(preset: Preset, frames: int = FRAMES) -> Signals:
    """Signals that all move, smoothly and differently."""
    t = np.arange(frames) / 30
    control = preset.control
    curves = {
        name: 0.5 + 0.4 * np.sin(3 * t + k) for k, name in enumerate(sorted({"calm", *control.envelopes}))
    }
    curves |= {name: (0.2 + 0.1 * k) * t + 0.4 for k, name in enumerate(sorted(control.phases))}
    curves |= {
        name: np.sin(t + k)
        for k, name in enumerate(sorted({*control.wander, *control.parts, *control.oscillators}))
    }
    return Signals(Fraction(30), curves)


def generator_for(name: str = TINY, *, tile: int = 0, precision: Precision = "float32") -> CppnGenerator:
    return CppnGenerator(preset_named(name).cppn, Fuser(Path(), wanted=False), tile=tile, precision=precision)


def scored(name: str = TINY, *, style: float = 0.0, seed: int = 7, frames: int = FRAMES) -> Trajectory:
    preset = preset_named(name)
    return generator_for(name).score(signals_for(preset, frames), np.full((frames, 4), style), seed)


def draw(generator: Generator, trajectory: Trajectory, start: int, stop: int, size: Size) -> torch.Tensor:
    return torch.stack([picture.clone() for picture in generator.frames(trajectory, start, stop, size)])


def psnr_db(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(-10 * torch.log10(((a - b) ** 2).mean().clamp(min=1e-12)))


@pytest.mark.parametrize("name", [TINY, "isobar", "rosette", WIDE])
def test_a_frame_alone_is_the_frame_in_a_run(name: str) -> None:
    generator, trajectory = generator_for(name), scored(name)
    run = draw(generator, trajectory, 0, FRAMES, SMALL)
    assert run.shape == (FRAMES, 3, 54, 96)
    assert run.dtype == torch.float32
    assert float(run.min()) >= 0
    assert float(run.max()) <= 1 + 1e-6
    assert not torch.equal(run[7], run[6])
    for other in (generator, generator_for(name)):
        assert torch.equal(draw(other, trajectory, 7, 8, SMALL)[0], run[7])
    assert torch.equal(draw(generator, trajectory, 5, 9, SMALL), run[5:9])


@pytest.mark.parametrize("name", [TINY, "isobar", WIDE])
@pytest.mark.parametrize("step", [1, 4])
def test_no_bit_depends_on_the_tile(name: str, step: int) -> None:
    trajectory, size = scored(name), Size(98, 55)  # no tile and no step fits

    def with_tile(tile: int) -> torch.Tensor:
        generator = generator_for(name, tile=tile)
        if step > 1:
            generator._path = generator._path.__class__(torch.float32, step, generator._path.kernels)
        return draw(generator, trajectory, 3, 4, size)

    first = with_tile(0)
    assert first.shape == (1, 3, 55, 98)
    for tile in (16, 500, 1777, 100_000):
        assert torch.equal(first, with_tile(tile)), tile


def test_two_threads_draw_what_one_draws() -> None:
    generator, trajectory = generator_for(), scored()
    alone = draw(generator_for(), trajectory, 0, FRAMES, SMALL)
    with ThreadPoolExecutor(2) as pool:
        halves = list(
            pool.map(lambda start: draw(generator, trajectory, start, start + 6, SMALL), (0, 6), timeout=60)
        )
    assert torch.equal(torch.cat(halves), alone)


@pytest.mark.parametrize("name", [TINY, WIDE])
def test_style_moves_the_picture_continuously(name: str) -> None:
    generator = generator_for(name)

    def at(style: float) -> torch.Tensor:
        return draw(generator, scored(name, style=style), 4, 5, SMALL)

    base = at(0.0)
    distances = [float((at(style) - base).abs().mean()) for style in (1e-3, 1e-2, 1e-1, 1.0)]
    assert 0 < distances[0] < 2e-3
    assert 5 < distances[1] / distances[0] < 15  # proportional, where it is small
    assert distances[0] < distances[1] < distances[2] < distances[3]
    assert distances[3] > 0.02


def test_the_seed_changes_the_picture_and_no_global_generator() -> None:
    before = torch.get_rng_state()
    one, same, other = (draw(generator_for(), scored(seed=seed), 4, 5, SMALL) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert float((one - other).abs().mean()) > 0.02
    assert torch.equal(torch.get_rng_state(), before)


def test_a_trajectory_that_was_saved_draws_the_same(tmp_path: Path) -> None:
    trajectory = scored()
    trajectory.save(tmp_path)
    loaded = Trajectory.load(tmp_path)
    assert torch.equal(
        draw(generator_for(), loaded, 2, 3, SMALL), draw(generator_for(), trajectory, 2, 3, SMALL)
    )


def test_parameters_that_signals_push_too_far_stay_in_their_ranges() -> None:
    preset = load_preset(
        TINY,
        assignments=[
            "cppn.view.zoom={base: 1, body: -20}",
            "cppn.surface.exposure={base: 0, energy: 20}",
            "cppn.surface.darkness={base: 0.5, energy: 20}",
            "cppn.surface.light_height={base: 0.5, energy: -20}",
            "cppn.surface.lines={base: 20}",
            "cppn.surface.line_width={base: 0}",
            "cppn.surface.line_count={base: 100}",
        ],
    )
    generator = CppnGenerator(preset.cppn, Fuser(Path(), wanted=False))
    trajectory = generator.score(signals_for(preset), np.zeros((FRAMES, 4)), 1)
    pictures = draw(generator, trajectory, 0, FRAMES, SMALL)
    assert bool(pictures.isfinite().all())
    assert float(pictures.min()) >= 0
    assert float(pictures.max()) <= 1 + 1e-6


@pytest.mark.parametrize("name", [TINY, "isobar", "plankton", WIDE])
def test_prepare_names_its_path_and_no_eye_sees_the_steps(name: str) -> None:
    generator, trajectory, size = generator_for(name), scored(name), Size(480, 270)
    path = generator.prepare(trajectory, size)
    named = re.fullmatch(r"eager-float32-step([1248])-cpu", path)
    assert named, path
    exact = draw(generator_for(name), trajectory, 5, 6, size)
    assert psnr_db(draw(generator, trajectory, 5, 6, size), exact) >= 48
    assert generator.prepare(trajectory, size) == path


def test_a_finer_film_takes_wider_steps() -> None:
    generator, trajectory = generator_for(), scored()
    steps = [
        int(generator.prepare(trajectory, size).split("step")[1][0])
        for size in (Size(64, 36), Size(1280, 720))
    ]
    assert steps[0] < steps[1]


@pytest.mark.parametrize(
    "size", [Size(96, 54), Size(54, 96), Size(50, 38), Size(640, 362), Size(2, 2)], ids=str
)
def test_other_sizes_than_the_prepared_one_show_the_same_picture(size: Size) -> None:
    generator, trajectory = generator_for(), scored()
    generator.prepare(trajectory, Size(320, 180))
    picture = draw(generator, trajectory, 5, 6, size)
    assert picture.shape == (1, 3, size.height, size.width)
    assert psnr_db(picture, draw(generator_for(), trajectory, 5, 6, size)) >= 40


@pytest.mark.parametrize(
    ("gain", "layers", "precision", "taken"),
    [
        (1.0, 2, "bfloat16", "bfloat16"),
        (1.0, 2, "auto", "bfloat16"),
        (1.0, 2, "float16", "float16"),
        (1.0, 2, "float32", "float32"),
        (5.0, 8, "bfloat16", "float32"),
        (5.0, 8, "auto", "float32"),
        (5.0, 8, "float16", "float32"),
    ],
)
def test_half_precision_is_taken_only_where_it_can_not_be_seen(
    gain: float, layers: int, precision: Precision, taken: str
) -> None:
    look = CppnLook.model_validate({"net": {"layers": layers, "units": 48, "gain": gain}})
    preset = Preset(name="half", summary="Half precision", cppn=look)
    generator = CppnGenerator(look, Fuser(Path(), wanted=False), precision=precision)
    trajectory = generator.score(signals_for(preset), np.zeros((FRAMES, 4)), 1)
    path = generator.prepare(trajectory, SMALL)
    assert path.split("-")[1] == taken
    exact = CppnGenerator(look, Fuser(Path(), wanted=False), precision="float32")
    drawn, want = (draw(g, trajectory, 3, 4, SMALL) for g in (generator, exact))
    assert psnr_db(drawn, want) >= 38
