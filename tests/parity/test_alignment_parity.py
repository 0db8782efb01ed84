"""AV-Align and beat alignment against plain readings of their published definitions, on the same peaks."""

import math
from fractions import Fraction
from itertools import pairwise

import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synesthete.evaluation.alignment import av_align, beat_alignment, flow_peaks, onset_peaks
from synesthete.evaluation.flow import flow_magnitude
from synesthete.generators.base import Size

RATES = (24, 25, 30, 60, 30_000 / 1001, 24_000 / 1001)


def published_av_align(audio: list[float], video: list[float], fps: float) -> float:
    """TempoTokens, February 2025: each sound peak takes the first picture peak in reach that is not taken.

    Both lists ascend there, as librosa and the scan over frames give them. The reach is an open interval,
    computed at the picture peak. Two empty lists, which it can't divide by, count as 0.
    """
    taken = [False] * len(video)
    shared = 0
    for sound in audio:
        for index, picture in enumerate(video):
            if not taken[index] and picture - 1 / fps < sound < picture + 1 / fps:
                taken[index] = True
                shared += 1
                break
    union = len(audio) + len(video) - shared
    return shared / union if union else 0.0


def published_video_peaks(flow: list[float], fps: float) -> list[float]:
    """TempoTokens: the flow of frame i is that from frame i-1, and frame 0 has that of frame 1 again."""
    trajectory = [flow[0], *flow]
    found = []
    for i in range(1, len(trajectory) - 1):
        if trajectory[i - 1] < trajectory[i] > trajectory[i + 1] and trajectory[i] >= 0.1:
            found.append(i / fps)
    return found


def published_closeness(moments: list[float], targets: list[float], sigma: float) -> float:
    """AIST++ (of picture beats, to the music's) and Bailando (of the music's, to those of the picture)."""
    total = 0.0
    for moment in moments:
        total += math.exp(-min((target - moment) ** 2 for target in targets) / (2 * sigma**2))
    return total / len(moments)


def moments_on(fps: float) -> st.SearchStrategy[list[float]]:
    """Ascending peaks: on frames, on ticks of 10 ms, anywhere; some twice, many exactly one frame apart."""
    on_frames = st.integers(0, 60).map(lambda frame: frame / fps)
    on_ticks = st.integers(0, 200).map(lambda tick: tick / 100)
    anywhere = st.floats(0, 2.0)
    return st.lists(st.one_of(on_frames, on_ticks, anywhere), max_size=40).map(sorted)


@given(st.data(), st.sampled_from(RATES))
def test_av_align_is_the_published_one(data: st.DataObject, fps: float) -> None:
    audio, video = data.draw(moments_on(fps)), data.draw(moments_on(fps))
    assert av_align(audio, video, frame_rate=fps) == pytest.approx(
        published_av_align(audio, video, fps), abs=1e-9
    )


@pytest.mark.parametrize("fps", [24, 25, 30, 60])
def test_av_align_is_the_published_one_where_all_peaks_lie_a_frame_apart(fps: int) -> None:
    for offset in range(200):
        video = [(offset + step) / fps for step in range(0, 40, 3)]
        audio = [(offset + 1 + step) / fps for step in range(0, 40, 3)]
        for one, other in ((audio, video), (video, audio)):
            assert av_align(one, other, frame_rate=fps) == published_av_align(one, other, fps)


def test_av_align_is_the_published_one_on_thousands_of_peaks() -> None:
    rng = np.random.default_rng(0)
    audio, video = (np.sort(rng.uniform(0, 300, count)).tolist() for count in (1500, 2500))
    expected = published_av_align(audio, video, 30)
    assert 0.1 < expected < 0.9
    assert av_align(audio, video, frame_rate=30) == pytest.approx(expected, abs=1e-9)


@given(st.data(), st.sampled_from((0.02, 0.05, 0.2)))
def test_beat_alignment_is_the_published_one_in_both_directions(data: st.DataObject, sigma: float) -> None:
    picture, beats = data.draw(moments_on(30)), data.draw(moments_on(30))
    found = beat_alignment(picture, beats, sigma_s=sigma)
    if not picture or not beats:
        assert (found.precision, found.recall, found.f1) == (0, 0, 0)
        return
    precision = published_closeness(picture, beats, sigma)
    recall = published_closeness(beats, picture, sigma)
    assert found.precision == pytest.approx(precision, abs=1e-9)
    assert found.recall == pytest.approx(recall, abs=1e-9)
    if precision + recall > 1e-9:
        assert found.f1 == pytest.approx(2 * precision * recall / (precision + recall), abs=1e-9)


@given(st.lists(st.sampled_from((0.0, 0.05, 0.1, 0.2, 0.5, 3.0)), min_size=1, max_size=60))
def test_flow_peaks_are_the_published_ones(flow: list[float]) -> None:
    magnitude = np.array(flow, np.float32)
    assert flow_peaks(magnitude, Fraction(30)).tolist() == published_video_peaks(magnitude.tolist(), 30)


def test_flow_is_the_published_one_on_small_films() -> None:
    cv2 = pytest.importorskip("cv2")
    canvas = cv2.GaussianBlur(np.random.default_rng(0).uniform(0, 255, (140, 200)), (0, 0), 4)
    canvas = cv2.normalize(canvas, None, 0, 255, cv2.NORM_MINMAX)
    grey = [
        np.round(canvas[step : step + 96, 2 * step : 2 * step + 128]).astype(np.uint8) for step in range(6)
    ]
    expected = []
    for before, after in pairwise(grey):
        flow = cv2.calcOpticalFlowFarneback(before, after, None, 0.5, 3, 15, 3, 5, 1.2, 0)
        expected.append(np.sqrt(flow[..., 0] ** 2 + flow[..., 1] ** 2).mean())
    chroma = np.full((48, 128), 128, np.uint8)
    planes = [np.concatenate([np.round(16 + 219 / 255 * luma), chroma]).astype(np.uint8) for luma in grey]
    # Luma has fewer levels than grey.
    np.testing.assert_allclose(flow_magnitude(planes, Size(128, 96)), expected, rtol=0.01)
    assert min(expected) > 0.5


@pytest.mark.parametrize("seed", range(20))
def test_onset_peaks_are_those_that_librosa_picks_with_a_two_sided_maximum(seed: int) -> None:
    rng = np.random.default_rng(seed)
    onset = np.clip(rng.gamma(0.4, 0.15, 2000), 0, 0.95).astype(np.float32)
    strength = -np.log(1 - onset.astype(np.float64))
    picked = librosa.onset.onset_detect(
        onset_envelope=strength, sr=100, hop_length=1, post_max=4, units="frames"
    )
    assert len(picked) > 50
    np.testing.assert_allclose(onset_peaks(onset), picked / 100, atol=1e-12)
