"""Cells of sheets by the generator gan: of seeds, of sweeps, and among the anchors of two parents."""

from pathlib import Path

from made_walks import write_walk
from synesthete.config.preset import Preset, load_preset
from synesthete.render.explore.looks import bred_looks, parse_sweep, seeded_looks, swept_looks


def parent(folder: Path, *, seed: int, **look: object) -> Preset:
    return load_preset(str(write_walk(folder, seed=seed, weights=seed, **look)))


def test_cells_of_seeds_and_of_a_sweep(tmp_path: Path) -> None:
    walk = str(write_walk(tmp_path))
    assert [look.preset.seed for look in seeded_looks("gan", walk, 3, seed=5, style=None)] == [5, 6, 7]
    swept = swept_looks("gan", walk, [parse_sweep("gan.anchors=2:8")], (2, 2), seed=0, style=None)
    assert [look.preset.gan.anchors for look in swept] == [2, 4, 6, 8]


def test_children_walk_as_one_parent_among_the_anchors_of_the_other(tmp_path: Path) -> None:
    parents = [parent(tmp_path / "a", seed=1, move_beats=2), parent(tmp_path / "b", seed=2, move_beats=4)]
    digests = [one.gan.weights.sha256 for one in parents if one.gan.weights is not None]
    looks = bred_looks(parents, 8, seed=1, strength=0.3)
    assert [look.preset for look in looks[:2]] == parents
    for look in looks[2:]:
        own = look.preset.gan
        walker, among = (0, 1) if own.move_beats == 2 else (1, 0)
        assert own.weights is not None
        assert (own.anchor_seed, own.weights.sha256) == (among + 1, digests[among])
        assert look.preset.seed == walker + 1
    assert len({look.preset.style for look in looks[2:]}) == 6


def test_children_of_one_parent_take_new_anchors_now_and_then(tmp_path: Path) -> None:
    only = parent(tmp_path, seed=1)
    children = [look.preset for look in bred_looks([only], 9, seed=1, strength=0.5)[1:]]
    seeds = {child.gan.anchor_seed for child in children}
    assert 1 in seeds
    assert len(seeds) > 1
    assert all(child.style != only.style for child in children)
