"""Fit `synesthete.audio.beats.EVIDENCE` and `synesthete.audio.bars.ACCENTS` on made songs, and print them.

Each song gives its candidate pulses with their evidence; those whose F-measure comes within 0.1 of the best
are right. The weights maximise the softmax likelihood of the right ones, with an L2 penalty, by L-BFGS. Half
of the examples are excerpts of 6 to 11 s, as loops and short tracks have few beats.

The accents of downbeats are fitted by logistic regression on the beats that were found at the right level.

Usage: ``python benchmarks/fit_beats.py [--songs N] [--first SEED]``
"""

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import torch
from mir_eval.beat import f_measure

from synesthete.audio.bars import beat_accents
from synesthete.audio.beats import candidate_pulses, find_beats, weigh
from synesthete.audio.columns import MEASURED_NAMES
from synesthete.audio.features import measure
from synesthete.audio.meter import heard_in
from synesthete.audio.rhythm import estimate_tempo

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from made_rhythm import beat_score, rhythm_song

PENALTY = 0.01
NEAR_BEST = 0.1


def examples(seed: int) -> list[tuple[list[dict[str, float]], np.ndarray]]:
    """Give evidence and F-measure of the candidates of a whole song, and of an excerpt."""
    torch.set_num_threads(1)
    song = rhythm_song(seed)
    measured = measure(torch.from_numpy(song.sound)[None, None])
    columns, spectrum = measured.columns[0].numpy(), measured.spectrum[0].numpy()
    rng = np.random.default_rng(seed)
    length = min(len(columns) - 1, int(rng.uniform(600, 1100)))
    bars = song.downbeats[song.downbeats * 100 < len(columns) - length]
    anywhere = rng.random() > 0.7 or len(bars) == 0
    start = int(rng.integers(0, len(columns) - length)) if anywhere else round(100 * rng.choice(bars))
    result = []
    for first, last in ((0, len(columns)), (start, start + length)):
        part = {name: columns[first:last, i] for i, name in enumerate(MEASURED_NAMES)}
        heard = heard_in(part, spectrum[first:last])
        truth = song.beats[(song.beats >= first / 100) & (song.beats < last / 100)] - first / 100
        found = [(weigh(p, heard), p) for p in candidate_pulses(heard, estimate_tempo(heard.streams))]
        kept = [(evidence, beat_score(truth, p / 100)) for evidence, p in found if evidence is not None]
        if kept:
            result.append(([evidence for evidence, _ in kept], np.array([score for _, score in kept])))
    return result


def bar_examples(seed: int) -> tuple[list[str], np.ndarray, np.ndarray] | None:
    """Give the accents of a song's beats, and which are downbeats; None if the beats weren't found."""
    torch.set_num_threads(1)
    song = rhythm_song(seed)
    measured = measure(torch.from_numpy(song.sound)[None, None])
    columns = {name: measured.columns[0, :, i].numpy() for i, name in enumerate(MEASURED_NAMES)}
    heard = heard_in(columns, measured.spectrum[0].numpy())
    beats = find_beats(heard, estimate_tempo(heard.streams))
    if f_measure(song.beats, beats / 100) < 0.9:
        return None
    accents = beat_accents(beats, heard)
    distance = np.abs(beats[:, None] / 100 - song.downbeats).min(axis=1)
    return list(accents), np.stack(list(accents.values()), axis=1), distance < 0.07


def fit_bars(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float]:
    """Fit a logistic regression; give weights, and the offset less the log odds of the base rate."""
    inputs, targets = torch.from_numpy(x), torch.from_numpy(y.astype(np.float64))
    weights = torch.zeros(x.shape[1] + 1, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights], max_iter=200)

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        logits = inputs @ weights[1:] + weights[0]
        value = torch.nn.functional.binary_cross_entropy_with_logits(logits, targets)
        value = value + 1e-3 * weights.square().sum()
        value.backward()
        return value

    optimiser.step(loss)
    rate = float(y.mean())
    fitted = weights.detach().numpy()
    return fitted[1:], float(fitted[0] - np.log(rate / (1 - rate)))


def fit(data: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Give one weight per unit of evidence."""
    spread = np.concatenate([evidence for evidence, _ in data]).std(axis=0) + 1e-6
    weights = torch.zeros(len(spread), dtype=torch.float64, requires_grad=True)
    songs = [(torch.from_numpy(x / spread), torch.from_numpy(y >= y.max() - NEAR_BEST)) for x, y in data]
    optimiser = torch.optim.LBFGS([weights], max_iter=300)

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        scores = [(x @ weights, right) for x, right in songs]
        terms = [torch.logsumexp(s, 0) - torch.logsumexp(s[right], 0) for s, right in scores]
        value = torch.stack(terms).mean() + PENALTY * weights.square().sum()
        value.backward()
        return value

    optimiser.step(loss)
    return weights.detach().numpy() / spread


def quality(data: list[tuple[np.ndarray, np.ndarray]], weights: np.ndarray) -> float:
    return float(np.mean([y[int((x @ weights).argmax())] for x, y in data]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--songs", type=int, default=300)
    parser.add_argument("--first", type=int, default=1000)
    given = parser.parse_args()
    with ProcessPoolExecutor() as pool:
        songs = pool.map(examples, range(given.first, given.first + given.songs), chunksize=4)
        found = [example for song in songs for example in song]
        bars = [
            b for b in pool.map(bar_examples, range(given.first, given.first + given.songs), chunksize=4) if b
        ]
    names = list(found[0][0][0])
    data = [(np.array([list(e.values()) for e in evidence]), scores) for evidence, scores in found]
    half = len(data) // 2
    print(f"best candidate: {np.mean([y.max() for _, y in data]):.3f}")
    trial = fit(data[:half])
    own, other = quality(data[:half], trial), quality(data[half:], trial)
    print(f"fitted on one half: {own:.3f}, on the other {other:.3f}")
    weights = fit(data)
    print(f"fitted on all: {quality(data, weights):.3f}")
    for name, weight in zip(names, weights, strict=True):
        print(f'    "{name}": {weight:.2f},')
    accents, offset = fit_bars(
        np.concatenate([x for _, x, _ in bars]), np.concatenate([y for _, _, y in bars])
    )
    print(f"accents, from {len(bars)} songs; offset {offset:.2f}")
    for name, weight in zip(bars[0][0], accents, strict=True):
        print(f'    "{name}": {weight:.2f},')
    return 0


if __name__ == "__main__":
    sys.exit(main())
