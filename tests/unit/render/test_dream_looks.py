"""Cells of sheets by the model that listens: of seeds, of sweeps, and between the styles of two parents."""

from pathlib import Path

import pytest
from PIL import Image

from made_dreams import write_dream
from synesthete.config.preset import Preset, load_preset
from synesthete.render.explore.looks import bred_looks, parse_sweep, seeded_looks, swept_looks


@pytest.fixture
def dream(tmp_path: Path) -> str:
    return str(write_dream(tmp_path, seed=3))


def parent(folder: Path, name: str, *, seed: int, **look: object) -> Preset:
    return load_preset(str(write_dream(folder / name, name=f"{name}.yaml", seed=seed, **look)))


def test_cells_of_seeds_and_of_a_sweep(dream: str) -> None:
    looks = seeded_looks("diffusion", dream, 3, seed=5, style=(1.0, 0.0, 0.0, 0.0))
    assert [look.preset.seed for look in looks] == [5, 6, 7]
    assert {look.preset.style[0] for look in looks} == {1.0}
    sweep = [parse_sweep("diffusion.audio_guidance_scale=1:4")]
    swept = swept_looks("diffusion", dream, sweep, (2, 2), seed=0, style=None)
    assert [look.preset.diffusion.audio_guidance_scale for look in swept] == [1.0, 2.0, 3.0, 4.0]


def test_children_lie_between_the_styles_of_their_parents(tmp_path: Path) -> None:
    parents = [parent(tmp_path, "a", seed=3), parent(tmp_path, "b", seed=8, style_seed=4)]
    looks = bred_looks(parents, 6, seed=1, strength=0.3)
    assert [look.preset for look in looks[:2]] == parents
    for look in looks[2:]:
        own = look.preset.diffusion
        assert own.style_mode == "interpolate"
        assert {own.style_seed, own.style_seed_to} == {3, 4}
        assert 0.25 <= own.style_share <= 0.75
    assert len({look.preset.style for look in looks[2:]}) == 4


def test_children_of_one_parent_or_of_pictures(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    Image.new("RGB", (32, 32), (200, 60, 10)).save(tmp_path / "a" / "warm.png")
    seen = parent(tmp_path, "a", seed=3, style_mode="image", style_image="warm.png")
    (_, child) = bred_looks([seen], 2, seed=1, strength=0.3)
    assert child.preset.diffusion == seen.diffusion
    assert child.preset.style != seen.style
    other = parent(tmp_path, "b", seed=4)
    looks = bred_looks([seen, other], 8, seed=1, strength=0.3)
    assert {look.preset.diffusion.style_mode for look in looks[2:]} <= {"image", "random"}
