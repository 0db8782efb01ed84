"""The diffusion generator: films of latents that follow music and style, at any size and from any frame."""

import shutil
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from made_dreams import HEARD, made_networks
from made_graphs import needs_onnx
from made_subjects import made_timeline
from synesthete.config.control import Control
from synesthete.config.decoder import Decoder
from synesthete.config.dream import DiffusionLook
from synesthete.config.weights import Picture, digested
from synesthete.errors import ConfigError, InputError
from synesthete.generators.base import Generator, Size, Trajectory
from synesthete.generators.control import Signals, build_signals
from synesthete.generators.cppn import Precision
from synesthete.generators.diffusion import DiffusionGenerator
from synesthete.generators.dream_grid import MOST_ASPECT, latent_grid, shown_of
from synesthete.generators.dream_style import base_style, directions
from synesthete.generators.dreamer import frame_noise
from synesthete.generators.fuse import Fuser

SQUARE = Size(48, 48)
FRAMES = 30
STILL = (0.0, 0.0, 0.0, 0.0)


def signals(*, song: int = 0, seconds: float = 1.0, fps: int = 30) -> Signals:
    return build_signals(made_timeline(seconds, seed=song), Control(), frame_rate=Fraction(fps), seed=0)


def dreamer(
    *, aspect: float = 1.0, precision: Precision = "float32", kernels: Path | None = None, **look: Any
) -> DiffusionGenerator:
    return DiffusionGenerator(
        DiffusionLook(**{"steps": 2, **look}),
        made_networks(),
        Fuser(kernels or Path(), wanted=kernels is not None),
        aspect=aspect,
        precision=precision,
    )


def scored(
    generator: DiffusionGenerator, *, style: tuple[float, ...] = STILL, seed: int = 0, **heard: Any
) -> Trajectory:
    song = signals(**heard)
    return generator.score(song, np.tile(np.array(style), (song.frames, 1)), seed)


def latents(generator: DiffusionGenerator, **how: Any) -> np.ndarray:
    planned = scored(generator, **how)
    return generator.dreamer.latents(planned, np.arange(len(planned.tables["style"])))


def draw(generator: Generator, trajectory: Trajectory, start: int, stop: int, size: Size) -> torch.Tensor:
    return torch.stack([picture.clone() for picture in generator.frames(trajectory, start, stop, size)])


@pytest.fixture(scope="module")
def generator() -> DiffusionGenerator:
    return dreamer()


@pytest.fixture(scope="module")
def trajectory(generator: DiffusionGenerator) -> Trajectory:
    return scored(generator)


@pytest.fixture(scope="module")
def film(generator: DiffusionGenerator, trajectory: Trajectory) -> torch.Tensor:
    return draw(generator, trajectory, 0, FRAMES, SQUARE)


@pytest.fixture(scope="module")
def table(generator: DiffusionGenerator) -> np.ndarray:
    return latents(generator)


@pytest.fixture
def two_threads() -> Iterator[None]:
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


# Frames -----------------------------------------------------------------------------------------------------


def test_a_frame_alone_is_the_frame_in_a_run(
    generator: DiffusionGenerator, trajectory: Trajectory, film: torch.Tensor
) -> None:
    assert film.shape == (FRAMES, 3, 48, 48)
    assert film.dtype == torch.float32
    assert float(film.min()) >= 0
    assert float(film.max()) <= 1
    assert float(film.std()) > 0.05
    assert not torch.equal(film[7], film[6])
    for start, stop in ((7, 8), (5, 9), (FRAMES - 1, FRAMES)):
        assert torch.equal(draw(generator, trajectory, start, stop, SQUARE), film[start:stop])
    assert torch.equal(draw(dreamer(), trajectory, 6, 8, SQUARE), film[6:8])


def test_no_bit_depends_on_the_threads(two_threads: None, trajectory: Trajectory, film: torch.Tensor) -> None:
    again = dreamer()
    assert scored(again).digest() == trajectory.digest()
    assert torch.equal(draw(again, trajectory, 3, 5, SQUARE), film[3:5])


def test_a_stored_trajectory_draws_the_same_film(
    generator: DiffusionGenerator, trajectory: Trajectory, film: torch.Tensor, tmp_path: Path
) -> None:
    trajectory.save(tmp_path)
    assert torch.equal(draw(generator, Trajectory.load(tmp_path), 11, 13, SQUARE), film[11:13])


def test_another_size_is_the_same_picture(generator: DiffusionGenerator, trajectory: Trajectory) -> None:
    """As far as a decoder goes that was never taught to leave out what small pixels can't hold."""
    small, large = (draw(generator, trajectory, 10, 11, Size(side, side)) for side in (128, 384))
    apart = torch.nn.functional.avg_pool2d(large, 3) - small
    assert float(apart.abs().mean()) < 0.1 * float(small.std())


@pytest.mark.parametrize("size", [Size(48, 24), Size(24, 48)])
def test_another_shape_shows_the_middle_and_stretches_nothing(
    generator: DiffusionGenerator, trajectory: Trajectory, film: torch.Tensor, size: Size
) -> None:
    (cut,) = draw(generator, trajectory, 10, 11, size)
    top, left = (48 - size.height) // 2, (48 - size.width) // 2
    middle = film[10][:, top : top + size.height, left : left + size.width]
    assert torch.allclose(cut, middle, atol=1e-4)


def test_another_frame_rate_is_the_same_film(generator: DiffusionGenerator, trajectory: Trajectory) -> None:
    fast = scored(generator, fps=60)
    for name, values in trajectory.tables.items():
        assert np.array_equal(fast.tables[name], values), name
    assert np.array_equal(fast.rows[::2], trajectory.rows)


def test_between_two_latents_frames_lie_on_a_line(
    generator: DiffusionGenerator, trajectory: Trajectory, table: np.ndarray
) -> None:
    """At 30 frames a second every other frame is halfway."""
    halfway = torch.from_numpy(0.5 * (table[3] + table[4]))
    decoded = generator.dreamer.networks.vae.decode(halfway.expand(2, -1, -1, -1))[0].clamp(0.0, 1.0)
    size = Size(decoded.shape[2], decoded.shape[1])
    assert torch.allclose(draw(generator, trajectory, 7, 8, size)[0], decoded, atol=1e-3)


def test_half_precision_is_taken_only_where_it_is_not_seen(
    trajectory: Trajectory, film: torch.Tensor
) -> None:
    exact, chosen = dreamer(), dreamer(precision="auto")
    assert exact.prepare(trajectory, SQUARE) == "eager-float32-cpu-dreamt-float32"
    assert torch.equal(draw(exact, trajectory, 4, 6, SQUARE), film[4:6])
    name = chosen.prepare(trajectory, SQUARE)
    drawn, dreamt = name.removeprefix("eager-").split("-cpu-dreamt-")
    assert {drawn, dreamt} <= {"float32", "bfloat16"}
    error = (draw(chosen, trajectory, 0, FRAMES, SQUARE) - film).square().mean()
    assert bool(error) == ("bfloat16" in name)
    assert float(error) < 1e-3


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")  # torch's own, within torch
@pytest.mark.skipif(not any(map(shutil.which, ("g++", "clang++", "c++"))), reason="no C++ compiler")
def test_the_fused_kernel_draws_the_same_pictures(
    trajectory: Trajectory, film: torch.Tensor, tmp_path: Path
) -> None:
    fused = dreamer(kernels=tmp_path)
    assert fused.prepare(trajectory, SQUARE) == "fused-float32-cpu-dreamt-float32"
    assert torch.allclose(draw(fused, trajectory, 4, 6, SQUARE), film[4:6], atol=1e-4)
    assert torch.isfinite(draw(fused, trajectory, 4, 5, Size(101, 77))).all()


# Music and noise --------------------------------------------------------------------------------------------


def test_the_film_follows_the_music(table: np.ndarray) -> None:
    assert np.abs(latents(dreamer(), song=1) - table).mean() > 0.02 * table.std()
    deaf = dreamer(audio_guidance_scale=0.0)
    assert np.array_equal(latents(deaf, song=1), latents(deaf, song=0))


def test_guidance_exaggerates_what_is_heard() -> None:
    def gap(scale: float) -> float:
        own = dreamer(audio_guidance_scale=scale)
        return float(np.abs(latents(own, song=1) - latents(own, song=0)).mean())

    assert gap(1.0) < gap(2.0) < gap(4.0)
    late = dreamer(audio_guidance_scale=2.0, guidance_interval=(0.9, 1.0))
    assert np.array_equal(latents(late), latents(dreamer(audio_guidance_scale=1.0, style_guidance_scale=1.0)))


def test_what_is_not_asked_for_is_as_the_weights_were_validated() -> None:
    """By default 8 steps, guidance of 3 by music, 1.5 by style."""
    asked = {"steps": 8, "audio_guidance_scale": 6.0, "style_guidance_scale": 1.5}
    assert np.array_equal(latents(dreamer(steps=None, audio_guidance_factor=2.0)), latents(dreamer(**asked)))
    plain = {"steps": 2, "audio_guidance_scale": 1.0, "style_guidance_scale": 1.0}
    assert np.array_equal(latents(dreamer(audio_guidance_factor=9.0, **plain)), latents(dreamer(**plain)))


def test_noise_is_of_a_seed_and_a_latent_frame() -> None:
    shape = (4, 6, 11)
    longer = frame_noise(5, range(5), shape)
    assert np.array_equal(frame_noise(5, range(3), shape), longer[:3])
    assert np.array_equal(frame_noise(5, range(3, 5), shape), longer[3:])
    assert not np.array_equal(frame_noise(6, range(5), shape), longer)
    assert abs(longer.std() - 1.0) < 0.1


def test_a_longer_film_begins_like_a_shorter_one(table: np.ndarray) -> None:
    """What is far after a moment is neither heard nor seen there."""
    longer = latents(dreamer(), seconds=4.0)
    apart = np.abs(longer[:16] - table[:16]).mean(axis=(1, 2, 3))
    assert apart[0] < 0.05 * longer.std()


def test_what_cannot_be_dreamt_is_refused(generator: DiffusionGenerator) -> None:
    with pytest.raises(ValueError, match="no Timeline"):
        generator.score(Signals(Fraction(30), {"calm": np.zeros(30)}), np.zeros((30, 4)), 0)
    with pytest.raises(ConfigError, match="at most 4:1, and 5:1 is wanted"):
        dreamer(aspect=0.2)


# Style ------------------------------------------------------------------------------------------------------


def test_styles_numbers_move_the_film(generator: DiffusionGenerator, table: np.ndarray) -> None:
    for axis in range(4):
        moved = latents(generator, style=tuple(2.0 * (k == axis) for k in range(4)))
        assert np.abs(moved - table).mean() > 0.01 * table.std()
    assert np.array_equal(latents(dreamer(style_reach=0.0), style=(2.0, 0.0, 1.0, 0.0)), table)


@pytest.mark.parametrize("size", [4, 8, 64])
def test_styles_numbers_move_along_directions_of_their_own(size: int) -> None:
    ways = directions(size)
    assert np.allclose(ways @ ways.T, np.eye(4), atol=1e-6)


def test_modes_of_style(trajectory: Trajectory) -> None:
    networks = made_networks()

    def style(seed: int = 0, **look: Any) -> torch.Tensor:
        return base_style(DiffusionLook(**look), networks, seed)

    own, other = style(3), style(4)
    assert not torch.equal(own, other)
    assert torch.equal(style(0, style_seed=3), own)
    assert torch.equal(style(3, temperature=0.5), 0.5 * own)
    assert not style(3, style_mode="zero").any()
    between = {"style_mode": "interpolate", "style_seed": 3, "style_seed_to": 4}
    assert torch.allclose(style(style_share=0.0, **between), own, atol=1e-6)
    assert torch.allclose(style(style_share=1.0, **between), other, atol=1e-6)
    steps = torch.stack([style(style_share=share / 8, **between) for share in range(9)]).diff(dim=0)
    lengths = steps.norm(dim=1)
    assert float(lengths.max()) < 1.5 * float(lengths.min())


def test_the_style_of_a_picture(tmp_path: Path) -> None:
    def style(colour: tuple[int, int, int], size: tuple[int, int]) -> torch.Tensor:
        place = tmp_path / "picture.png"
        Image.new("RGB", size, colour).save(place)
        picture = digested(Picture(file=place.name), place, where="style_image")
        return base_style(DiffusionLook(style_mode="image", style_image=picture), made_networks(), 0)

    warm = style((250, 120, 20), (300, 200))
    assert warm.shape == (8,)
    assert torch.equal(warm, style((250, 120, 20), (300, 200)))
    assert not torch.allclose(warm, style((10, 60, 200), (300, 200)), atol=1e-3)

    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    picture = digested(Picture(file=broken.name), broken, where="style_image")
    with pytest.raises(InputError, match=r"diffusion\.style_image: .* is no picture that can be read"):
        base_style(DiffusionLook(style_mode="image", style_image=picture), made_networks(), 0)


def test_the_model_hears_what_timelines_have() -> None:
    assert set(HEARD) <= set(made_timeline(1.0).names)


# Grids ------------------------------------------------------------------------------------------------------


@given(st.floats(1 / MOST_ASPECT, MOST_ASPECT))
def test_grids_fit_and_nothing_is_stretched(aspect: float) -> None:
    high, wide = latent_grid(aspect)
    assert 6 <= min(high, wide) <= 8
    assert 48 <= high * wide <= 144
    size = (max(2, round(1000 * aspect)), 1000)
    across, down = shown_of(size, (high, wide))
    assert max(across, down) == 1.0
    assert min(across, down) > 0.85
    assert across * wide / (down * high) == pytest.approx(size[0] / size[1])


# ONNX Runtime -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("graphs")


def onnx_dreamer(graphs: Path, *, batch_size: int = 32) -> DiffusionGenerator:
    return DiffusionGenerator(
        DiffusionLook(steps=2),
        made_networks(),
        Fuser(Path(), wanted=False),
        aspect=1.0,
        precision="float32",
        decoding=Decoder(runtime="onnxruntime", execution_provider="cpu", batch_size=batch_size),
        graphs=graphs,
    )


@needs_onnx
def test_onnx_runtime_draws_the_same_film(trajectory: Trajectory, film: torch.Tensor, graphs: Path) -> None:
    generator = onnx_dreamer(graphs)
    assert generator.prepare(trajectory, SQUARE).startswith("onnxruntime-")
    drawn = draw(generator, trajectory, 0, FRAMES, SQUARE)
    assert float((drawn - film).square().mean()) < 1e-7
    (kept,) = graphs.iterdir()
    written = kept.stat().st_mtime_ns
    for batch_size in (1, 2, 7):
        again = onnx_dreamer(graphs, batch_size=batch_size)
        for start, stop in ((7, 8), (5, 9), (FRAMES - 1, FRAMES)):
            assert torch.equal(draw(again, trajectory, start, stop, SQUARE), drawn[start:stop])
    assert [path.stat().st_mtime_ns for path in graphs.iterdir()] == [written]  # it was exported once
    other = Size(64, 40)
    exact = draw(dreamer(), trajectory, 3, 5, other)
    assert float((draw(generator, trajectory, 3, 5, other) - exact).square().mean()) < 1e-7


@pytest.mark.parametrize("batch_size", [1, 2, 32])
def test_a_batch_of_any_size_draws_the_same_bits(
    trajectory: Trajectory, film: torch.Tensor, batch_size: int
) -> None:
    generator = DiffusionGenerator(
        DiffusionLook(steps=2),
        made_networks(),
        Fuser(Path(), wanted=False),
        aspect=1.0,
        precision="float32",
        decoding=Decoder(batch_size=batch_size),
    )
    assert torch.equal(draw(generator, trajectory, 5, 9, SQUARE), film[5:9])
