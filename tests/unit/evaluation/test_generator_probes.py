"""Generator probes on subjects with known answers, the baselines, and one real preset."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from made_subjects import SMALL, GreySubject, column_at, deaf, follower, made_song, made_timeline
from synesthete.audio.timeline import Timeline
from synesthete.config.preset import load_preset
from synesthete.evaluation.baselines import Drift, PixelNoise, Strobe
from synesthete.evaluation.generator_probes import (
    PUBLISHED_SHUFFLE_GAP,
    ProbeResult,
    probe_subject,
    relative_gap,
)
from synesthete.evaluation.observe import Observation
from synesthete.evaluation.subjects import PresetSubject, ProbeSong, Subject
from synesthete.evaluation.thumbnails import thumbnails


def probed(subject: Subject, seconds: float = 4.0, **given: Any) -> dict[str, Any]:
    result = probe_subject(subject, made_song(seconds), made_song(5.0, seed=1), settings=SMALL, **given)
    json.dumps(result.figures, allow_nan=False)
    return dict(result.figures)


def grey(*levels: float) -> list[torch.Tensor]:
    return [torch.full((3, 4, 4), level) for level in levels]


def test_the_gap_is_the_ratio_of_means_over_all_frames() -> None:
    assert relative_gap(grey(0.2, 0.6), grey(0.3, 0.3)) == pytest.approx((0.1 + 0.3) / (0.2 + 0.6))
    assert relative_gap(grey(0.5), grey(0.5)) == 0.0
    assert relative_gap(grey(0.0), grey(0.5)) is None


def test_what_does_not_listen_has_no_gap_at_all() -> None:
    for subject in (deaf(), Drift(moving=True), PixelNoise()):
        figures = probed(subject)
        gaps = [figures[name]["gap"] for name in ("shuffle", "other_song", "silence")]
        assert gaps == [0.0, 0.0, 0.0]
        assert set(figures["bands"].values()) == {0.0}


def test_what_shows_the_music_alone_has_large_gaps() -> None:
    figures = probed(follower("loudness"))
    assert figures["shuffle"]["gap"] > PUBLISHED_SHUFFLE_GAP
    assert figures["other_song"]["gap"] > PUBLISHED_SHUFFLE_GAP
    assert figures["silence"]["gap"] == pytest.approx(1.0)
    assert figures["shuffle"]["published"] == 0.069


def test_the_shuffle_gap_of_independent_levels_is_that_of_unrelated_moments() -> None:
    # Of two independent levels, uniform on 0.3-0.9, the mean difference is 0.2 and the mean 0.6.
    result = probe_subject(
        follower("onset"), made_song(30.0), made_song(30.0, seed=1), settings=replace(SMALL, frames=400)
    )
    for name in ("shuffle", "unrelated", "other_song"):
        assert result.figures[name]["gap"] == pytest.approx(1 / 3, abs=0.04), name


def test_muting_a_band_moves_only_what_listens_to_it() -> None:
    figures = probed(follower("band_5"))
    assert figures["bands"].pop("band_5") == pytest.approx(1.0)
    assert set(figures["bands"].values()) == {0.0}
    low, high = figures["bands_hz"][5]
    assert low < 2000 < high


def test_muting_a_band_moves_what_listens_to_its_sum() -> None:
    bands = probed(follower("mid"))["bands"]
    assert all((bands[f"band_{band}"] > 0) == (band in (3, 4, 5)) for band in range(8))


def test_a_black_film_tells_nothing_and_breaks_nothing() -> None:
    figures = probed(deaf(0.0))
    assert figures["shuffle"]["gap"] is None
    assert figures["flicker"] == 0.0
    assert probed(GreySubject(lambda song, moment, style: 0.0, 4))["bands"]["band_0"] is None


def test_a_shorter_other_song_is_compared_over_what_both_have() -> None:
    def level(song: ProbeSong, moment: float, style: object) -> float:
        return 0.5 if moment < 2.0 else column_at(song, "loudness", moment)

    subject, song = GreySubject(level, None), made_song(8.0)
    result = probe_subject(subject, song, made_song(1.9, seed=1), settings=SMALL)
    assert result.figures["other_song"]["gap"] == 0.0
    assert result.figures["shuffle"]["gap"] > 0.0


def test_sync_is_asked_of_the_middle_of_the_song_and_its_own_music() -> None:
    asked: list[tuple[Observation, Timeline]] = []

    def sync(observation: Observation, timeline: Timeline) -> dict[str, Any]:
        asked.append((observation, timeline))
        return {"effect": 0.5, "z": float("inf"), "status": "ok"}

    figures = probed(follower("onset"), seconds=9.0, sync=sync)
    ((observation, timeline),) = asked
    assert figures["sync"] == {"effect": 0.5, "z": None, "status": "ok"}
    assert observation.frames == 60
    assert timeline.frame_count(observation.frame_rate) == 60
    assert (timeline.column("onset") == made_timeline(9.0).column("onset")[300:500]).all()
    seen = observation.grid[:, 0, 0, 0] / 255
    heard = timeline.column("onset")[np.round(100 * np.arange(60) / 30).astype(int)]
    assert np.abs(seen - heard).max() < 0.02


def test_a_song_shorter_than_the_film_is_seen_whole() -> None:
    lengths: list[int] = []

    def sync(observation: Observation, timeline: Timeline) -> dict[str, Any]:
        lengths.extend([observation.frames, timeline.frame_count(observation.frame_rate)])
        return {}

    assert probed(follower("onset"), seconds=1.5, sync=sync)["sync"] == {}
    assert lengths == [45, 45]
    assert probed(deaf())["sync"] is None


def test_noise_flickers_and_a_still_does_not() -> None:
    still, noise = probed(Drift(moving=False)), probed(PixelNoise())
    assert still["flicker"] == 0.0
    assert noise["flicker"] > 0.05
    assert still["stability"] == pytest.approx(1.0)
    assert still["unrelated"]["gap"] == 0.0


def test_drift_tells_an_end_that_looks_otherwise_than_the_beginning() -> None:
    figures = probed(GreySubject(lambda song, moment, style: 0.1 * moment, None), seconds=8.0)
    assert figures["drift"] > 0.3
    assert probed(Drift(moving=False))["drift"] == 0.0


def test_copies_of_the_references_lie_at_no_distance() -> None:
    own = thumbnails(grey(0.5))
    far = thumbnails(grey(0.0))
    assert probed(deaf(), references=own)["neighbours"]["least"] < 1e-4
    assert probed(deaf(), references=own)["neighbours"]["copies"] == 1.0
    assert probed(deaf(), references=far)["neighbours"]["least"] > 0.4
    assert probed(deaf())["neighbours"] is None


def test_the_strobe_listens_to_beats_and_to_no_band() -> None:
    figures = probed(Strobe())
    assert figures["shuffle"]["gap"] > 0.3
    assert figures["silence"]["gap"] == pytest.approx(1.0)
    assert set(figures["bands"].values()) == {0.0}
    assert figures["kind"] == "baseline"


@pytest.fixture(scope="module")
def silk() -> ProbeResult:
    steps: list[str] = []
    result = probe_subject(
        PresetSubject(load_preset("silk")),
        made_song(),
        made_song(seed=1),
        settings=SMALL,
        on_step=steps.append,
    )
    assert steps[0] == "gaps"
    assert "speed" in steps
    return result


def test_a_shipped_preset_listens(silk: ProbeResult) -> None:
    figures = silk.figures
    assert figures["subject"] == "silk"
    assert figures["shuffle"]["gap"] > PUBLISHED_SHUFFLE_GAP
    assert figures["silence"]["gap"] > PUBLISHED_SHUFFLE_GAP
    assert figures["bands"]["band_1"] > 0.01
    assert figures["speed"]["ms_per_frame"] > 0
    assert figures["style"]["kind"] == "vector and seed"


def test_pictures_come_with_the_figures(silk: ProbeResult) -> None:
    assert len(silk.pictures) == 12
    assert all(picture.shape == (18, 32, 3) and picture.dtype == np.uint8 for picture in silk.pictures)
