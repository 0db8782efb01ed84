"""What pretrained networks make of songs: at the right moments, of any length, the same every time."""

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from made_listeners import KINDS, write_listener
from synesthete.audio import embedding_models
from synesthete.audio.analysis import analyse_songs
from synesthete.audio.embeddings import Embedder, Embeddings, _projection, _resampled, open_embedder

RATE = 44_100
SPEECH = ("wav2vec2", "whisper")
Opened = Callable[[str], Embedder]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("listeners")
    return {kind: write_listener(kind, root / kind) for kind in KINDS}


@pytest.fixture(scope="module")
def opened(folders: dict[str, Path]) -> Opened:
    """Open each of them once, with all 16 numbers that it gives."""
    found = {kind: open_embedder(kind, folder, size=16) for kind, folder in folders.items()}  # type: ignore[arg-type]
    return found.__getitem__


def noise(seconds: float, *, seed: int = 0) -> np.ndarray:
    draws = np.random.default_rng(seed)
    return (0.05 * draws.standard_normal((2, round(seconds * RATE)))).astype(np.float32)


def with_click(sound: np.ndarray, moment: float) -> np.ndarray:
    """Add a click of 1 ms around a moment."""
    changed, middle = sound.copy(), round(moment * RATE)
    changed[:, middle - 22 : middle + 22] += 0.5 * np.random.default_rng(9).standard_normal(44)
    return changed


def change(one: Embeddings, two: Embeddings) -> np.ndarray:
    return np.square(one.values - two.values).sum(axis=1)


# Time -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SPEECH)
def test_a_click_is_heard_at_its_moment(opened: Opened, kind: str) -> None:
    sound = noise(4.0)  # one window of either
    before = opened(kind).embed(sound)
    errors, far = [], []
    for moment in np.linspace(0.6, 3.4, 20) + np.random.default_rng(1).uniform(-0.01, 0.01, 20):
        moved = change(before, opened(kind).embed(with_click(sound, moment)))
        near = np.abs(before.moments - moment) < 0.08
        errors.append(np.average(before.moments[near], weights=moved[near]) - moment)
        far.append(moved[np.abs(before.moments - moment) > 0.5].max() / moved[near].max())

    assert abs(np.mean(errors)) < 0.003
    assert np.max(np.abs(errors)) < 0.02
    assert np.median(far) < 0.3


def test_what_clap_hears_is_the_second_around_each_moment(opened: Opened) -> None:
    sound = noise(3.0)
    before = opened("clap").embed(sound)
    moved = change(before, opened("clap").embed(with_click(sound, 1.63)))

    heard = np.abs(before.moments - 1.63) < 0.5
    assert before.moments[heard].tolist() == [1.25, 1.5, 1.75, 2.0]
    assert moved[heard].min() > 0
    assert moved[~heard].max() == 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("samples", [1, 700, 1_102, 30_000, 176_400, 176_401, 400_000])
def test_a_song_of_any_length_is_heard_to_its_end(
    opened: Opened, kind: str, samples: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opened("wav2vec2")._network, "_size", 100)
    seconds = samples / RATE
    found = opened(kind).embed(noise(10)[:, :samples])

    assert found.values.shape == (len(found.moments), 16)
    assert np.isfinite(found.values).all()
    step = 0.25 if kind == "clap" else 0.02
    assert np.allclose(np.diff(found.moments), step)
    assert found.moments[0] < 0.013
    assert found.moments[-1] > seconds - step - 0.013
    assert len(found.moments) == 1 or found.moments[-1] <= seconds


def test_moments_lie_in_the_middle_of_what_wav2vec2_hears(opened: Opened) -> None:
    found = opened("wav2vec2").embed(noise(1.0))
    assert np.allclose(found.moments[:2], [199.5 / 16_000, 519.5 / 16_000], atol=1e-9)
    assert len(found.moments) == 49


@pytest.mark.parametrize("total", [1, 7, 8, 9, 15, 16, 22, 23, 24, 100])
@pytest.mark.parametrize("size", [1, 8, 9, 16, 120])
def test_windows_join_to_the_whole(total: int, size: int) -> None:
    asked = []

    def window(first: int) -> torch.Tensor:
        asked.append(first)
        return torch.arange(first, min(first + size, total), dtype=torch.float32)[:, None]

    joined = torch.cat(list(embedding_models._joined(window, total, size)))
    assert torch.allclose(joined[:, 0], torch.arange(total, dtype=torch.float32), atol=1e-4)
    assert len(asked) == max(1, -(-(total - size // 8) // (size - size // 8)))


def test_one_window_fades_into_the_next() -> None:
    def window(first: int) -> torch.Tensor:
        return torch.full((min(16, 30 - first), 1), float(first))

    joined = torch.cat(list(embedding_models._joined(window, 30, 16)))[:, 0]
    assert joined.tolist() == [0.0] * 14 + [3.5, 10.5] + [14.0] * 14


def test_long_songs_are_heard_as_whole_ones_are(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = noise(9.0)
    for moment in np.arange(0.5, 9, 0.5):
        sound = with_click(sound, moment)
    whole = opened("wav2vec2").embed(sound).values
    monkeypatch.setattr(opened("wav2vec2")._network, "_size", 150)
    parts = opened("wav2vec2").embed(sound).values

    def likeness(one: np.ndarray, two: np.ndarray) -> float:
        return float(np.corrcoef((one - one.mean(axis=0)).ravel(), (two - two.mean(axis=0)).ravel())[0, 1])

    assert likeness(whole, parts) > 0.9
    assert likeness(whole[1:], parts[:-1]) < 0.7


def test_reading_between_rows_is_linear_and_beyond_them_held() -> None:
    table = Embeddings(np.array([[0.0, 2.0], [1.0, 2.0], [5.0, 0.0]], np.float32), 0.5, 0.25)
    moments = np.array([-3.0, 0.5, 0.625, 0.8125, 1.0, 7.0])

    read = table.at(moments)
    assert read.dtype == np.float32
    assert read[:, 0].tolist() == [0.0, 0.0, 0.5, 2.0, 5.0, 5.0]
    assert read[:, 1].tolist() == [2.0, 2.0, 2.0, 1.5, 0.0, 0.0]
    assert np.array_equal(read[2:4], np.concatenate([table.at(moments[k : k + 1]) for k in (2, 3)]))
    assert table.moments.tolist() == [0.5, 0.75, 1.0]


def test_resampling_moves_nothing_and_folds_nothing_back() -> None:
    time_s = np.arange(RATE) / RATE
    for rate in (16_000, 48_000):
        inside = np.arange(rate)[rate // 10 : -rate // 10] / rate
        low = _resampled(np.sin(2 * np.pi * 1_000 * time_s).astype(np.float32), rate)
        assert np.abs(low[rate // 10 : -rate // 10] - np.sin(2 * np.pi * 1_000 * inside)).max() < 2e-3
    high = _resampled(np.sin(2 * np.pi * 12_000 * time_s).astype(np.float32), 16_000)
    assert np.abs(high[1_600:-1_600]).max() < 2e-3


# Numbers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_all_numbers_have_mean_0_and_variance_1(opened: Opened, kind: str) -> None:
    values = opened(kind).embed(noise(3.0)).values
    assert np.abs(values.mean(axis=1)).max() < 1e-5
    assert np.abs(values.var(axis=1) - 1).max() < 1e-2


@pytest.mark.parametrize("kind", KINDS)
def test_fewer_numbers_are_a_turn_of_all_of_them(folders: dict[str, Path], opened: Opened, kind: Any) -> None:
    sound = noise(2.0)
    few = open_embedder(kind, folders[kind], size=6)
    turn = few._projection
    assert turn is not None
    assert torch.allclose(turn.T @ turn, torch.eye(6), atol=1e-6)
    assert np.allclose(few.embed(sound).values, opened(kind).embed(sound).values @ turn.numpy(), atol=1e-5)


def test_few_numbers_keep_their_scale_and_tell_vectors_apart() -> None:
    vectors = torch.nn.functional.layer_norm(torch.randn(400, 768, generator=torch.Generator()), (768,))
    turn = _projection("clap", 768, 32)
    assert turn is not None
    few = vectors @ turn
    assert abs(float(few.var()) - 1) < 0.05
    apart = torch.pdist(few) / torch.pdist(vectors) * (768 / 32) ** 0.5
    assert abs(float(apart.mean()) - 1) < 0.02
    assert float(apart.std()) < 0.15


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_song_gives_the_same_numbers_and_draws_from_no_global_generator(
    opened: Opened, kind: str
) -> None:
    sound = noise(5.0)
    drawn = np.random.get_state()[1].copy(), torch.random.get_rng_state()  # type: ignore[index, union-attr] # noqa: NPY002
    embedder = opened(kind)
    copy: Embedder = pickle.loads(pickle.dumps(embedder))
    assert copy == embedder
    assert "_network" not in vars(copy)
    assert np.array_equal(embedder.embed(sound).values, copy.embed(sound).values)
    assert np.array_equal(np.random.get_state()[1], drawn[0])  # type: ignore[index] # noqa: NPY002
    assert torch.equal(torch.random.get_rng_state(), drawn[1])


def test_the_number_of_threads_changes_nothing(tmp_path: Path) -> None:
    wide = {"hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12, "conv_dim": (128,) * 7}
    embedder = open_embedder("wav2vec2", write_listener("wav2vec2", tmp_path, **wide), size=32)
    sound = noise(2.0)
    one = embedder.embed(sound).values
    torch.set_num_threads(2)
    try:
        two = embedder.embed(sound).values
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
    assert np.array_equal(one, two)


@pytest.mark.parametrize("kind", KINDS)
def test_silence_gives_finite_numbers(opened: Opened, kind: str) -> None:
    assert np.isfinite(opened(kind).embed(np.zeros((2, RATE), np.float32)).values).all()


# Timelines --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SPEECH)
def test_networks_for_speech_hear_in_a_timeline_what_they_hear_in_the_sound(
    opened: Opened, kind: str
) -> None:
    sound = noise(3.0)
    heard = opened(kind).hear(analyse_songs(torch.from_numpy(sound)[None])[0])
    given = opened(kind).embed(sound)
    assert np.array_equal(heard.moments, given.moments)
    inside = slice(4, -4)  # at the ends the wave is filtered beside silence
    error = np.square(heard.values - given.values)[inside].mean()
    other = np.square(opened(kind).embed(noise(3.0, seed=1)).values - given.values)[inside].mean()
    assert error < 0.02 * other


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_done_to_a_timeline_is_heard(opened: Opened, kind: str) -> None:
    timeline = analyse_songs(torch.from_numpy(noise(2.0))[None])[0]
    own = opened(kind).hear(timeline).values
    silent = opened(kind).hear(replace(timeline, wave=np.zeros_like(timeline.wave))).values
    unknown = opened(kind).hear(replace(timeline, wave=timeline.wave[:0])).values
    assert own.shape == silent.shape
    assert np.square(own - silent).mean() > 1e-4
    assert np.array_equal(silent, unknown)


# What the library itself gives ------------------------------------------------------------------------------


def levelled(vectors: torch.Tensor) -> np.ndarray:
    return torch.nn.functional.layer_norm(vectors, vectors.shape[1:]).numpy()


@pytest.mark.parametrize("levels", [True, False])
def test_wav2vec2_is_what_the_library_gives(tmp_path: Path, levels: bool) -> None:
    from transformers import Wav2Vec2FeatureExtractor, Wav2Vec2Model

    write_listener("wav2vec2", tmp_path)
    extractor = Wav2Vec2FeatureExtractor(do_normalize=levels)
    extractor.save_pretrained(tmp_path)
    sound = noise(2.0)
    given = extractor(_resampled(sound.mean(axis=0), 16_000), sampling_rate=16_000, return_tensors="pt")
    with torch.no_grad():
        expected = Wav2Vec2Model.from_pretrained(tmp_path).eval()(given.input_values).last_hidden_state[0]
    found = open_embedder("wav2vec2", tmp_path, size=16).embed(sound).values
    assert np.allclose(found, levelled(expected), atol=1e-4)


def test_whisper_is_what_the_library_gives(folders: dict[str, Path], opened: Opened) -> None:
    from transformers import WhisperFeatureExtractor, WhisperModel

    sound = noise(4.0)
    mono = _resampled(sound.mean(axis=0), 16_000)
    given = WhisperFeatureExtractor()(mono, sampling_rate=16_000, max_length=64_000, return_tensors="pt")
    model = WhisperModel.from_pretrained(folders["whisper"]).eval()
    with torch.no_grad():
        expected = model.encoder(given.input_features).last_hidden_state[0]
    assert np.allclose(opened("whisper").embed(sound).values, levelled(expected), atol=1e-4)


@pytest.mark.parametrize(("fused", "padding"), [(False, "repeatpad"), (False, "pad"), (True, "repeat")])
def test_clap_is_what_the_library_gives(tmp_path: Path, fused: bool, padding: str) -> None:
    from transformers import ClapAudioModelWithProjection, ClapFeatureExtractor

    write_listener("clap", tmp_path, enable_fusion=fused)
    extractor = ClapFeatureExtractor(truncation="fusion" if fused else "rand_trunc", padding=padding)
    extractor.save_pretrained(tmp_path)
    sound = noise(2.0)
    mono = np.pad(_resampled(sound.mean(axis=0), 48_000), 24_000)
    windows = [mono[12_000 * k : 12_000 * k + 48_000] for k in (0, 3, 8)]
    given = extractor(windows, sampling_rate=48_000, return_tensors="pt")
    model = ClapAudioModelWithProjection.from_pretrained(tmp_path).eval()
    with torch.no_grad():
        short = torch.zeros(3, 1, dtype=torch.bool)
        expected = model(input_features=given.input_features, is_longer=short).audio_embeds
    found = open_embedder("clap", tmp_path, size=16).embed(sound).values
    assert len(found) == 9
    assert np.allclose(found[[0, 3, 8]], levelled(expected), atol=1e-4)
    assert np.abs(found[0] - found[3]).max() > 1e-3


# Folders ----------------------------------------------------------------------------------------------------


def test_half_a_model_a_whole_one_and_one_with_a_head_give_the_same(
    folders: dict[str, Path], opened: Opened, tmp_path: Path
) -> None:
    import transformers as library

    whole = library.WhisperModel.from_pretrained(folders["whisper"])
    whole.encoder.save_pretrained(tmp_path / "encoder")
    talks = library.WhisperForConditionalGeneration(whole.config)
    talks.model = whole
    talks.save_pretrained(tmp_path / "talks")
    hears = library.Wav2Vec2Model.from_pretrained(folders["wav2vec2"])
    writes = library.Wav2Vec2ForCTC(hears.config)
    writes.wav2vec2 = hears
    writes.save_pretrained(tmp_path / "writes")
    both = library.ClapModel.from_pretrained(write_listener("clap whole", tmp_path / "both"))
    half = library.ClapAudioModelWithProjection(both.config.audio_config)
    half.audio_model, half.audio_projection = both.audio_model, both.audio_projection
    half.save_pretrained(tmp_path / "half")

    sound = noise(1.0)

    def heard(kind: Any, name: str) -> np.ndarray:
        return open_embedder(kind, tmp_path / name, size=16).embed(sound).values

    assert np.array_equal(heard("whisper", "encoder"), opened("whisper").embed(sound).values)
    assert np.array_equal(heard("whisper", "talks"), opened("whisper").embed(sound).values)
    assert np.array_equal(heard("wav2vec2", "writes"), opened("wav2vec2").embed(sound).values)
    assert np.array_equal(heard("clap", "both"), heard("clap", "half"))
