"""What ships: enough worlds, each preset in one, and the classics and families by name."""

from collections import Counter

from synesthete.config.preset import FAMILIES, load_preset, shipped_presets

CLASSICS = {"spectrum", "waveform", "pulse", "particles", "contours", "tiles", "trails", "kaleidoscope"}


def test_every_shipped_preset_lies_in_a_world() -> None:
    worlds = Counter(load_preset(name).world for name in shipped_presets())

    assert "" not in worlds
    assert worlds.pop("classics") == len(CLASSICS)
    assert worlds.pop("families") == len(FAMILIES)
    assert len(worlds) >= 6
    assert min(worlds.values()) >= 3
    assert sum(worlds.values()) >= 24


def test_the_classics_and_the_families_are_there() -> None:
    shipped = set(shipped_presets())

    assert shipped >= CLASSICS
    assert shipped >= set(FAMILIES.values())
    assert all(load_preset(name).world == "classics" for name in CLASSICS)
    assert all(load_preset(name).generator == "cppn" for name in FAMILIES.values())
