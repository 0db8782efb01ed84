"""The generator gan: films that walk among anchors, at any size, from any frame, in any batch."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from made_graphs import needs_onnx
from made_subjects import made_timeline
from made_walks import beaten_timeline, heard, made_gan, made_network, write_walk
from synesthete.config.control import Control
from synesthete.config.decoder import Decoder
from synesthete.config.gan_look import MOST_ANCHORS, GanLook
from synesthete.config.mood import load_mood, shipped_moods
from synesthete.config.preset import load_preset
from synesthete.config.render import RenderOptions
from synesthete.errors import ConfigError, RenderError
from synesthete.evaluation.style_probes import effective_number
from synesthete.files import digest_bytes
from synesthete.generators import networks
from synesthete.generators.anchors import AnchorBank, anchor_bank, medoids, principal_axes
from synesthete.generators.base import Generator, Size, Trajectory
from synesthete.generators.blocks import BlockStore
from synesthete.generators.build import (
    build_fuser,
    build_generator,
    check_preset,
    network_digests_of,
    score_preset,
)
from synesthete.generators.control import Signals, build_signals
from synesthete.generators.cppn import Precision
from synesthete.generators.dream_grid import MOST_ASPECT
from synesthete.generators.gan import WalkGenerator
from synesthete.generators.networks import load_gan_network, network_digests
from synesthete.generators.thumbnails import look_distances, thumbnails
from synesthete.generators.walk_grid import MARGIN, walk_grid, without_margin
from synesthete.models.gan import noise_maps
from synesthete.seeding import generator_for

SQUARE = Size(64, 64)
FRAMES = 30
STILL = (0.0, 0.0, 0.0, 0.0)
STORE = BlockStore()


def signals(*, song: int = 0, fps: int = 30) -> Signals:
    return build_signals(made_timeline(1.0, seed=song), Control(), frame_rate=Fraction(fps), seed=0)


def walker(
    *,
    aspect: float = 1.0,
    precision: Precision = "float32",
    decoding: Decoder | None = None,
    graphs: Path | None = None,
    **look: Any,
) -> WalkGenerator:
    return WalkGenerator(
        GanLook(**{"move_s": 1.0, "move_beats": 2, **look}),
        made_network(),
        anchors=STORE,
        aspect=aspect,
        precision=precision,
        decoding=decoding,
        graphs=graphs,
    )


def scored(
    generator: WalkGenerator, *, style: tuple[float, ...] = STILL, seed: int = 0, **heard: Any
) -> Trajectory:
    song = signals(**heard)
    return generator.score(song, np.tile(np.array(style), (song.frames, 1)), seed)


def draw(
    generator: WalkGenerator, trajectory: Trajectory, start: int, stop: int, size: Size = SQUARE
) -> torch.Tensor:
    return torch.stack([picture.clone() for picture in generator.frames(trajectory, start, stop, size)])


@pytest.fixture(scope="module")
def generator() -> WalkGenerator:
    return walker()


@pytest.fixture(scope="module")
def trajectory(generator: WalkGenerator) -> Trajectory:
    return scored(generator)


@pytest.fixture(scope="module")
def film(generator: WalkGenerator, trajectory: Trajectory) -> torch.Tensor:
    return draw(generator, trajectory, 0, FRAMES)


@pytest.fixture(scope="module")
def bank() -> AnchorBank:
    return anchor_bank(made_gan(), "w0", walk_grid(1.0), STORE)


@pytest.fixture
def two_threads() -> Iterator[None]:
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


# Frames -----------------------------------------------------------------------------------------------------


def test_a_frame_alone_is_the_frame_in_a_run(
    generator: WalkGenerator, trajectory: Trajectory, film: torch.Tensor
) -> None:
    assert isinstance(generator, Generator)
    assert film.shape == (FRAMES, 3, 64, 64)
    assert film.dtype == torch.float32
    assert 0 <= float(film.min()) < float(film.max()) <= 1
    assert not torch.equal(film[7], film[6])
    for start, stop in ((7, 8), (5, 9), (FRAMES - 1, FRAMES)):
        assert torch.equal(draw(generator, trajectory, start, stop), film[start:stop])


def test_pictures_are_as_light_as_the_plan_says(trajectory: Trajectory, film: torch.Tensor) -> None:
    bright = walker(dark=0.0)
    planned = scored(bright)
    light = trajectory.rows[:, trajectory.columns.index("light")]
    assert 0.5 <= light.min() < light.max() - 0.1 <= 0.9
    assert planned.rows[:, planned.columns.index("light")].min() == 1
    shown = draw(bright, planned, 0, FRAMES) * torch.from_numpy(light)[:, None, None, None]
    assert torch.allclose(shown, film, atol=1e-6)


@pytest.mark.parametrize("batch_size", [1, 2, 5])
def test_a_batch_of_any_size_draws_the_same_bits(
    trajectory: Trajectory, film: torch.Tensor, batch_size: int
) -> None:
    assert torch.equal(draw(walker(decoding=Decoder(batch_size=batch_size)), trajectory, 5, 9), film[5:9])


def test_no_bit_depends_on_the_threads(two_threads: None, trajectory: Trajectory, film: torch.Tensor) -> None:
    again = WalkGenerator(
        GanLook(move_s=1.0, move_beats=2), made_network(), aspect=1.0, precision="float32"
    )  # anchors and all
    assert scored(again).digest() == trajectory.digest()
    assert torch.equal(draw(again, trajectory, 3, 5), film[3:5])


def test_a_stored_trajectory_draws_the_same_film(
    generator: WalkGenerator, trajectory: Trajectory, film: torch.Tensor, tmp_path: Path
) -> None:
    trajectory.save(tmp_path)
    assert torch.equal(draw(generator, Trajectory.load(tmp_path), 11, 13), film[11:13])


def test_another_frame_rate_is_the_same_film(generator: WalkGenerator, trajectory: Trajectory) -> None:
    assert np.array_equal(scored(generator, fps=60).rows[::2], trajectory.rows)


def test_another_size_is_the_same_picture(generator: WalkGenerator, trajectory: Trajectory) -> None:
    own, large = (draw(generator, trajectory, 10, 11, Size(side, side)) for side in (64, 192))
    small = draw(generator, trajectory, 10, 11, Size(32, 32))
    pooled = torch.nn.functional.avg_pool2d
    for apart in (pooled(large, 3) - own, pooled(own, 2) - small):
        assert float(apart.abs().mean()) < 0.25 * float(own.std())


@pytest.mark.parametrize("size", [Size(64, 32), Size(32, 64)])
def test_another_shape_shows_the_middle(
    generator: WalkGenerator, trajectory: Trajectory, film: torch.Tensor, size: Size
) -> None:
    (cut,) = draw(generator, trajectory, 10, 11, size)
    top, left = (64 - size.height) // 2, (64 - size.width) // 2
    assert torch.equal(cut, film[10][:, top : top + size.height, left : left + size.width])


@pytest.mark.parametrize(("aspect", "grid"), [(16 / 9, (9, 16)), (9 / 16, (16, 9)), (2.39, (7, 16))])
def test_latents_follow_the_film_s_shape(aspect: float, grid: tuple[int, int]) -> None:
    wide = walker(aspect=aspect)
    planned = scored(wide)
    assert planned.tables["anchors"].shape[2:] == (grid[0] + 2 * MARGIN, grid[1] + 2 * MARGIN)
    (own,) = draw(wide, planned, 3, 4, Size(4 * grid[1], 4 * grid[0]))
    assert own.shape == (3, 4 * grid[0], 4 * grid[1])


def test_more_latents_hold_more_pixels() -> None:
    finer = walker(latents=24, aspect=1.5)
    planned = scored(finer)
    assert planned.tables["anchors"].shape[2:] == (18, 26)
    assert draw(finer, planned, 3, 4, Size(96, 64)).shape == (1, 3, 64, 96)


def test_longer_pictures_are_refused() -> None:
    assert walk_grid(MOST_ASPECT) == (6, 18)
    with pytest.raises(ConfigError, match="generator gan draws pictures of at most 4:1, and 5:1 is wanted"):
        walk_grid(0.2)


def test_half_precision_is_taken_only_where_it_is_not_seen(
    trajectory: Trajectory, film: torch.Tensor
) -> None:
    exact, chosen = walker(), walker(precision="auto")
    assert exact.prepare(trajectory, SQUARE) == "eager-float32-cpu"
    assert torch.equal(draw(exact, trajectory, 4, 6), film[4:6])
    name = chosen.prepare(trajectory, SQUARE)
    assert name in ("eager-float32-cpu", "eager-bfloat16-cpu")
    error = (draw(chosen, trajectory, 0, FRAMES) - film).square().mean()
    assert bool(error) == ("bfloat16" in name)
    assert float(error) < 1e-3


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("graphs")


def onnx_walker(graphs: Path, *, batch_size: int = 32) -> WalkGenerator:
    decoding = Decoder(runtime="onnxruntime", execution_provider="cpu", batch_size=batch_size)
    return walker(precision="auto", decoding=decoding, graphs=graphs, noise="beating")


@needs_onnx
def test_onnx_runtime_draws_the_same_film(graphs: Path) -> None:
    exact, generator = walker(noise="beating"), onnx_walker(graphs)
    planned = scored(generator)
    assert planned.digest() == scored(exact).digest()
    name = generator.prepare(planned, SQUARE)
    assert name.startswith("onnxruntime-")
    assert name.endswith("-float32-cpu")
    drawn = draw(generator, planned, 0, FRAMES)
    assert 0 < float((drawn - draw(exact, planned, 0, FRAMES)).square().mean()) < 1e-9
    (kept,) = graphs.iterdir()
    written = kept.stat().st_mtime_ns
    for batch_size in (1, 2, 7):
        again = onnx_walker(graphs, batch_size=batch_size)
        for start, stop in ((7, 8), (5, 9), (FRAMES - 1, FRAMES)):
            assert torch.equal(draw(again, planned, start, stop), drawn[start:stop])
    assert [path.stat().st_mtime_ns for path in graphs.iterdir()] == [written]  # it was exported once


@needs_onnx
def test_no_bit_of_onnx_runtime_depends_on_the_threads(graphs: Path, two_threads: None) -> None:
    generator = onnx_walker(graphs)
    planned = scored(generator)
    several = draw(generator, planned, 4, 8)
    torch.set_num_threads(1)
    assert torch.equal(draw(onnx_walker(graphs), planned, 4, 8), several)


# Music, style and noise -------------------------------------------------------------------------------------


def test_the_film_follows_music_seed_and_style(trajectory: Trajectory, generator: WalkGenerator) -> None:
    assert not np.array_equal(scored(generator, song=1).rows, trajectory.rows)
    other = scored(generator, seed=1)
    assert not np.array_equal(other.tables["anchors"], trajectory.tables["anchors"])
    styled = scored(generator, style=(1.0, 0.0, -2.0, 0.0)).rows - trajectory.rows
    axes = [trajectory.columns.index(f"axis.{place}") for place in range(4)]
    assert styled[:, axes] == pytest.approx(np.tile([1.0, 0.0, -2.0, 0.0], (FRAMES, 1)), abs=1e-5)
    assert np.array_equal(scored(walker(style_reach=0.0), style=(2.0, 0, 1.0, 0)).rows, trajectory.rows)
    own = scored(walker(anchor_seed=0), seed=1)
    assert np.array_equal(own.tables["anchors"], trajectory.tables["anchors"])


def test_noise_is_held_or_beats(trajectory: Trajectory, film: torch.Tensor) -> None:
    beating = walker(noise="beating")
    planned = scored(beating)
    grain = planned.columns.index("grain")
    assert planned.rows[-1, grain] > 0.2
    assert not trajectory.rows[:, grain].any()
    drawn = draw(beating, planned, 0, FRAMES)
    assert torch.equal(drawn[0], film[0])
    assert not torch.equal(drawn[-1], film[-1])


def test_films_keep_the_saturation_of_the_anchors() -> None:
    """The trap of the output that lost its saturation: on straight lines between latents it is grey."""
    song = heard(beaten_timeline(16.0, kicks=False), 10)
    still = walker(wander=0.0, bass=0.0, mid=0.0, treble=0.0, kick=0.0, move_beats=8)
    planned = still.score(song, np.zeros((song.frames, 4)), 0)
    mixed = np.flatnonzero(np.abs(planned.rows[:, :12]).max(axis=1) < 0.7)
    alone = np.flatnonzero(np.abs(planned.rows[:, :12]).max(axis=1) > 0.9)
    assert len(mixed) > 8
    assert len(alone) > 8
    drawn = draw(still, planned, 0, song.frames)
    spread = drawn.amax(dim=1) - drawn.amin(dim=1)
    between, at = (float(spread[torch.from_numpy(frames)].mean()) for frames in (mixed, alone))
    assert between > 0.85 * at


# Anchors ----------------------------------------------------------------------------------------------------


def looks_of(latents: np.ndarray) -> np.ndarray:
    network = made_gan()
    noise = noise_maps(network.spec, 0, rows=latents.shape[2], columns=latents.shape[3])
    return thumbnails(without_margin(network(torch.from_numpy(latents), noise), network.spec.scale))


def test_anchors_differ_more_than_what_comes(bank: AnchorBank) -> None:
    assert bank.anchors.shape == (MOST_ANCHORS, 8, 18, 18)
    drawn = generator_for(1, "any latents").standard_normal(bank.anchors.shape, np.float32)
    chosen, random = (looks_of(latents) for latents in (bank.anchors, drawn))
    apart = [look_distances(looks, looks) for looks in (chosen, random)]
    nearest = [float((one + 9.0 * np.eye(len(one))).min(axis=1).mean()) for one in apart]
    assert nearest[0] > nearest[1]
    scale = float(np.median(apart[1]))
    numbers = [effective_number(one, bandwidth=scale) for one in apart]
    assert numbers[0] > numbers[1]


def test_anchors_are_found_once(bank: AnchorBank, tmp_path: Path) -> None:
    first = anchor_bank(made_gan(), "w0", walk_grid(1.0), BlockStore(tmp_path))
    (kept,) = tmp_path.iterdir()
    written = kept.stat().st_mtime_ns
    again = anchor_bank(made_gan(), "w0", walk_grid(1.0), BlockStore(tmp_path))
    assert kept.stat().st_mtime_ns == written
    for one in (first, again):
        assert np.array_equal(one.anchors, bank.anchors)
        assert np.array_equal(one.axes, bank.axes)
    anchor_bank(made_gan(1), "w1", walk_grid(1.0), BlockStore(tmp_path))
    assert len(list(tmp_path.iterdir())) == 2


def test_medoids_stand_for_all_and_are_as_many_as_asked_for() -> None:
    places = generator_for(0, "medoids").standard_normal((60, 2)) + 8.0 * np.repeat(np.eye(3, 2), 20, axis=0)
    apart = np.sqrt(np.square(places[:, None] - places).sum(axis=2))
    assert {place // 20 for place in medoids(apart, 3).tolist()} == {0, 1, 2}
    same = np.zeros((5, 5))
    assert medoids(same, 4).tolist() == sorted({*medoids(same, 4).tolist()})
    assert len(medoids(same, 4)) == 4


def test_axes_are_what_pictures_change_most_along(bank: AnchorBank) -> None:
    latents = generator_for(2, "axes").standard_normal((1000, 8, 9, 16)).astype(np.float32)
    means = latents.mean(axis=(2, 3)) * 12
    looks = np.zeros((1000, 8, 8, 3), np.float32)
    looks[:, :, :, 0] = (-0.3 * means[:, 2])[:, None, None]
    looks[:, :, :, 1] = (0.1 * means[:, 5])[:, None, None]
    axes = principal_axes(latents, looks)
    assert np.square(axes).sum(axis=(1, 2, 3)) == pytest.approx(np.ones(4), abs=1e-5)
    along = axes.mean(axis=(2, 3)) * 12
    assert along[0, 2] < -0.95  # towards lighter pictures
    assert abs(along[1, 5]) > 0.9
    own = bank.axes.reshape(4, -1)
    assert own @ own.T == pytest.approx(np.eye(4), abs=1e-5)


# Presets ----------------------------------------------------------------------------------------------------


def test_a_preset_builds_its_generator_and_is_known_by_its_weights(tmp_path: Path) -> None:
    preset = load_preset(str(write_walk(tmp_path)))
    digest = digest_bytes((tmp_path / "gan.safetensors").read_bytes())
    assert network_digests_of([load_preset("silk"), preset]) == {"walk": {"weights": digest}}
    check_preset(preset)
    options = RenderOptions(kernels="eager", device="cpu", workspace=tmp_path)
    fuser = build_fuser(options, preset.generator, SQUARE, 30)
    generator = build_generator(preset, options, fuser)
    assert generator.name == "gan"


def test_missing_weights_are_told_of_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "shipped_weights", lambda kind: tmp_path / f"{kind}.safetensors")
    with pytest.raises(
        ConfigError, match=r"no weights of the gan model ship .*`synesthete train gan` .*gan\.weights"
    ):
        network_digests(GanLook())


def test_a_file_that_changes_in_between_is_noticed(tmp_path: Path) -> None:
    preset = load_preset(str(write_walk(tmp_path)))
    write_walk(tmp_path, weights=1)
    with pytest.raises(RenderError, match="was changed while it was used"):
        load_gan_network(preset.gan)


@pytest.mark.parametrize("mood", [name for name in shipped_moods() if name != "default"])
def test_every_mood_reaches_the_walk(mood: str, tmp_path: Path) -> None:
    path = str(write_walk(tmp_path, move_beats=4))
    timeline = beaten_timeline(12.0, level=0.7 + 0.2 * np.sin(np.arange(1200) / 60))
    options = RenderOptions(kernels="eager", device="cpu", workspace=tmp_path, resolution="64x64")
    planned = []
    for chosen in ("default", mood):
        preset = load_preset(path, mood=load_mood(chosen))
        generator = build_generator(preset, options, build_fuser(options, "gan", SQUARE, 30))
        planned.append(score_preset(preset, generator, timeline, frame_rate=Fraction(30)))
    apart = np.abs(planned[1].rows - planned[0].rows)
    names = planned[0].columns
    for group in ("anchor", "axis"):
        columns = [place for place, name in enumerate(names) if name.startswith(group)]
        assert apart[:, columns].max() > 0.005, group
