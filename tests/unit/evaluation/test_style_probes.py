"""Styles with known answers: how many there are, whether they stay, how straight the way between them is."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from made_subjects import SMALL, GreySubject, column_at, deaf, made_song
from synesthete.config.preset import load_preset
from synesthete.errors import InputError
from synesthete.evaluation.baselines import Drift
from synesthete.evaluation.style_probes import draw_styles, effective_number, probe_styles
from synesthete.evaluation.subjects import PresetSubject, Subject
from synesthete.evaluation.thumbnails import (
    display_to_oklab,
    load_references,
    look_distance,
    look_distances,
    nearest_references,
    thumbnails,
)

FEW = 8


def probe(subject: Subject) -> dict:
    figures, _ = probe_styles(subject, made_song(), made_song(6.0, seed=1), settings=SMALL)
    json.dumps(figures, allow_nan=False)
    return figures


def unit(number: float) -> float:
    return float(1 / (1 + np.exp(-number)))


# Pictures and distances -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((1.0, 1.0, 1.0), (1.0, 0.0, 0.0)),
        ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
        ((1.0, 0.0, 0.0), (0.628, 0.225, 0.126)),
        ((0.0, 0.0, 1.0), (0.452, -0.032, -0.312)),
    ],
)
def test_oklab_is_ottossons(rgb: tuple[float, ...], lab: tuple[float, ...]) -> None:
    assert display_to_oklab(np.array(rgb)) == pytest.approx(lab, abs=1e-3)


def test_black_and_white_are_one_apart() -> None:
    black, white = thumbnails([torch.zeros(3, 18, 32), torch.ones(3, 18, 32)])
    assert look_distance(black, white) == pytest.approx(1.0, abs=1e-6)


def test_a_thumbnail_does_not_depend_on_the_size_of_the_picture() -> None:
    small = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(0))
    large = small.repeat_interleave(5, 1).repeat_interleave(7, 2)
    assert look_distance(*thumbnails([small, large])) < 1e-6


def test_distances_come_in_a_table() -> None:
    looks = np.random.default_rng(0).random((3, 2, 8, 8, 3)).astype(np.float32)
    table = look_distances(looks, looks[:2])
    expected = [[look_distance(a, b) for b in looks[:2]] for a in looks]
    assert table == pytest.approx(np.array(expected), abs=1e-6)


def test_pictures_of_a_folder_are_references(tmp_path: Path) -> None:
    for number, level in enumerate((0, 128)):
        Image.new("RGB", (40 + number, 30), (level, 0, level)).save(tmp_path / f"{number}.png")
    (tmp_path / "notes.txt").write_text("no picture")
    references = load_references(tmp_path)
    purple = torch.tensor([128 / 255, 0, 128 / 255])[:, None, None].expand(3, 9, 16)
    near = nearest_references(thumbnails([purple, torch.ones(3, 9, 16)]), references)
    assert near["references"] == 2
    assert near["least"] == pytest.approx(0.0, abs=1e-6)
    assert near["copies"] == 0.5
    assert near["median"] > 0.1


def test_references_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no pictures in"):
        load_references(tmp_path)
    with pytest.raises(InputError, match="cannot read pictures from"):
        load_references(tmp_path / "missing")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    with pytest.raises(InputError, match=r"broken\.png is no picture"):
        load_references(tmp_path)


# How many ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("groups", [1, 2, 5])
def test_the_effective_number_counts_groups_of_equals(groups: int) -> None:
    place = np.arange(20) % groups
    distances = np.where(place[:, None] == place[None, :], 0.0, 10.0)
    assert effective_number(distances) == pytest.approx(groups)


def test_styles_are_always_the_same_ones_and_all_different() -> None:
    styles = draw_styles(4, FEW)
    assert styles == draw_styles(4, 2 * FEW)[:FEW]
    assert len(set(styles)) == FEW
    assert len(styles[0].vector) == 4


def test_many_styles_are_told_from_a_few_archetypes() -> None:
    many = probe(GreySubject(lambda song, moment, style: unit(5 * style.vector[0]), 1))
    two = probe(GreySubject(lambda song, moment, style: float(style.vector[0] > 0), 1))
    one = probe(GreySubject(lambda song, moment, style: 0.5, 1))
    number = [figures["diversity"]["effective_number"] for figures in (one, two, many)]
    assert number[0] == pytest.approx(1.0)
    assert 1.5 < number[1] <= 2.0 + 1e-6
    assert number[2] > number[1]
    assert one["diversity"]["mean_distance"] == 0.0
    assert set(one["diversity"]) >= {"feature", "kernel", "bandwidth", "styles"}


# Constancy --------------------------------------------------------------------------------------------------


def test_a_look_that_is_the_styles_alone_stays_on_another_song() -> None:
    figures = probe(GreySubject(lambda song, moment, style: unit(style.vector[0]), 1))
    assert figures["constancy"]["ratio"] == 0.0


def test_a_look_that_is_mostly_the_songs_does_not_stay() -> None:
    def level(song: object, moment: float, style: object) -> float:
        return 0.2 * (song.name == "b") + 0.02 * unit(style.vector[0])  # type: ignore[attr-defined]

    figures, _ = probe_styles(GreySubject(level, 1), made_song(name="a"), made_song(name="b"), settings=SMALL)
    assert figures["constancy"]["ratio"] > 3


def test_without_styles_constancy_is_not_told() -> None:
    figures = probe(GreySubject(lambda song, moment, style: column_at(song, "bass", moment), 4))
    assert figures["constancy"]["ratio"] is None
    assert figures["constancy"]["reason"] == "all styles look the same"


# Between styles ---------------------------------------------------------------------------------------------


def test_a_look_that_follows_its_vector_goes_straight() -> None:
    figures = probe(GreySubject(lambda song, moment, style: 0.5 + 0.05 * style.vector[0], 1))
    assert figures["kind"] == "vector and seed"
    assert figures["interpolation"]["path"] == pytest.approx(1.0, abs=1e-6)
    assert figures["interpolation"]["jump"] < 1.1


def test_a_look_that_switches_makes_one_jump() -> None:
    def level(song: object, moment: float, style: object) -> float:
        return float(style.vector[0] > 0)  # type: ignore[attr-defined]

    figures = probe(GreySubject(level, 1))
    assert figures["interpolation"]["jump"] == pytest.approx(8.0)


def test_a_vector_that_changes_nothing_is_no_style() -> None:
    figures = probe(GreySubject(lambda song, moment, style: style.seed % 7 / 7, 4))
    assert figures["kind"] == "seed"
    assert figures["interpolation"]["path"] is None
    assert figures["interpolation"]["reason"] == "the style vector changes nothing"


def test_seeds_have_no_between() -> None:
    figures = probe(Drift(moving=False))
    assert figures["kind"] == "seed"
    assert figures["constancy"]["ratio"] == 0.0
    assert "seeds have no between" in figures["interpolation"]["reason"]


def test_what_has_no_styles_has_one_look() -> None:
    figures = probe(deaf())
    assert figures["kind"] == "none"
    assert figures["diversity"]["effective_number"] == pytest.approx(1.0)
    assert figures["constancy"]["ratio"] is None


def test_a_shipped_preset_has_styles_of_both_kinds() -> None:
    figures = probe(PresetSubject(load_preset("silk")))
    assert figures["kind"] == "vector and seed"
    assert figures["diversity"]["effective_number"] > 3
    assert figures["interpolation"]["path"] >= 1.0
