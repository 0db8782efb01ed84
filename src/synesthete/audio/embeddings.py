"""Embeddings: what a pretrained network makes of a song, as short vectors at even moments."""

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Float32, Float64
from torch import Tensor

from synesthete.audio.embedding_models import AudioNetwork, Kind, digest_folder, load_network
from synesthete.audio.timeline import Timeline
from synesthete.audio.wave import WAVE_FULL_SCALE, WAVE_RATE
from synesthete.clock import ANALYSIS_RATE, ANALYSIS_SAMPLE_RATE, samples_at
from synesthete.errors import ConfigError, InputError
from synesthete.files import let_pages_go
from synesthete.seeding import generator_for

__all__ = ["Embedder", "Embeddings", "Kind", "open_embedder"]

_SEED: Final = 0
_TRIED_S: Final = 0.5
_PIECE: Final = 1 << 20


@dataclass(frozen=True, eq=False)
class Embeddings:
    """A song's vectors.

    Attributes
    ----------
    values
        One row a vector, numbers of about 1.
    first_s, step_s
        The moment of the first row, and from each to the next; seconds.
    """

    values: Float32[np.ndarray, "vectors size"]
    first_s: float
    step_s: float

    @property
    def moments(self) -> Float64[np.ndarray, " vectors"]:
        """The moment of each row, seconds."""
        return self.first_s + self.step_s * np.arange(len(self.values))

    def at(self, moments: Float64[np.ndarray, " n"]) -> Float32[np.ndarray, "n size"]:
        """Read at moments: linear between rows, the first and the last one held beyond them.

        Parameters
        ----------
        moments
            Seconds, in any order; what is read is a function of each moment alone.

        Examples
        --------
        >>> table = Embeddings(np.array([[0.0], [1.0]], np.float32), first_s=1.0, step_s=0.5)
        >>> table.at(np.array([0.0, 1.25, 9.0])).tolist()
        [[0.0], [0.5], [1.0]]
        """
        last = len(self.values) - 1
        place = np.clip((np.asarray(moments) - self.first_s) / self.step_s, 0, last)
        before = np.floor(place).astype(np.int64)
        part = (place - before)[:, None]
        read = self.values[before] * (1 - part) + self.values[np.minimum(before + 1, last)] * part
        return np.asarray(read, np.float32)


@dataclass(frozen=True)
class Embedder:
    """An opened network; it may be sent to another process, which opens the folder again by its path.

    Attributes
    ----------
    kind
        What kind of network it is.
    folder
        Where it lies.
    size
        Numbers of a vector.
    digest
        SHA-256 of all in the folder that vectors depend on.
    """

    kind: Kind
    folder: Path
    size: int
    digest: str

    @cached_property
    def _network(self) -> AudioNetwork:
        return load_network(self.kind, self.folder)

    @cached_property
    def _projection(self) -> Float32[Tensor, "features size"] | None:
        return _projection(self.kind, self._network.features, self.size)

    def embed(
        self, sound: Float32[np.ndarray, "2 samples"], *, device: torch.device | str = "cpu"
    ) -> Embeddings:
        """Turn a song into vectors; a pure function of the song, to the bit on one kind of machine.

        Sound is mixed to mono and resampled to the network's own rate, then heard in windows: see
        `synesthete.audio.embedding_models.load_network` for what they are and where their moments lie.
        Each of the network's vectors is brought to mean 0 and variance 1 over its features. If fewer numbers
        are asked for, it is then turned by a matrix with random orthonormal columns, the same for all songs
        and seeds, which keeps the variance of each number near 1 and angles between vectors nearly as they
        were.

        Parameters
        ----------
        sound
            Stereo at 44.1 kHz, full scale ±1, at least one sample. Memory grows by twice the mono mix, and
            by the vectors; networks see a window at a time.
        device
            Where the network runs; on a CPU in one thread, as others would give other last bits.

        Raises
        ------
        InputError
            If there is no sound.
        ConfigError
            If the network can't be loaded, or gives numbers that are not finite.
        """
        if sound.shape[1] == 0:
            raise InputError("the track has no sound: it is empty")
        return self._embedded(sound.mean(axis=0), ANALYSIS_SAMPLE_RATE, device)

    def hear(self, timeline: Timeline, *, device: torch.device | str = "cpu") -> Embeddings:
        """Turn a song that was heard into vectors, by the Timeline's wave; see `embed`.

        What was done to the music of a Timeline, and its wave, is done to what the network hears, too. The
        wave ends at 11 kHz: networks for speech hear no more than 8, and of the 64 bands of a CLAP network
        the 4 above stay empty.

        Raises
        ------
        ConfigError
            If the network can't be loaded, or gives numbers that are not finite.
        """
        return self._embedded(_mono(timeline), WAVE_RATE, device)

    def _embedded(
        self, mono: Float32[np.ndarray, " samples"], rate: int, device: torch.device | str
    ) -> Embeddings:
        mono = _resampled(mono, self._network.sample_rate, before=rate)
        parts = []
        with torch.no_grad(), _one_thread():
            for block in self._network.blocks(mono, device):
                even = torch.nn.functional.layer_norm(block, block.shape[1:])
                turned = even if self._projection is None else even @ self._projection.to(even.device)
                parts.append(turned.cpu().numpy())
        values = np.concatenate(parts)
        if not np.isfinite(values).all():
            raise ConfigError(
                f"embedding_dir = {self.folder} gives numbers that are not finite; its weights are damaged, "
                "take another copy"
            )
        return Embeddings(values, self._network.first_s, self._network.step_s)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to another process without the network."""
        return Embedder, (self.kind, self.folder, self.size, self.digest)


def open_embedder(kind: Kind, folder: Path, *, size: int) -> Embedder:
    """Open a network in a folder, as Hugging Face's transformers saves it, and try it.

    Nothing is downloaded, no code of the folder runs, and pickled weights are refused.

    Parameters
    ----------
    kind
        ``clap`` (a ClapModel or its audio half), ``wav2vec2`` or ``whisper`` (of both the encoder is enough).
    size
        Numbers of a vector, 1 to as many as the network gives.

    Raises
    ------
    ConfigError
        If there is no such folder, it holds another kind of network, is damaged or gives fewer numbers, or
        the extra ``embed`` is not installed.
    """
    found = Embedder(kind, folder, size, digest_folder(folder))
    features = found._network.features
    if not 1 <= size <= features:
        raise ConfigError(
            f"embedding_size = {size} is outside 1 to {features}, what the model in {folder} gives; ask for "
            "fewer"
        )
    noise = generator_for(_SEED, "embedding.trial").standard_normal(
        (2, samples_at(_TRIED_S, ANALYSIS_SAMPLE_RATE))
    )
    try:
        found.embed((0.1 * noise).astype(np.float32))
    except (RuntimeError, ValueError, TypeError) as error:  # parts of the folder that don't fit each other
        reason = " ".join(str(error).split())[:120]
        raise ConfigError(
            f"embedding_dir = {folder} can't be used ({reason}); save model and feature extractor there anew"
        ) from None
    return found


def _projection(kind: Kind, features: int, size: int) -> Tensor | None:
    if size == features:
        return None
    drawn = generator_for(_SEED, f"embedding.{kind}").standard_normal((features, size))
    columns, triangle = np.linalg.qr(drawn)
    return torch.from_numpy((columns * np.sign(np.diag(triangle))).astype(np.float32))


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _mono(timeline: Timeline) -> Float32[np.ndarray, " samples"]:
    """Mix a Timeline's wave, full scale ±1; where it is not known, silence."""
    wave = timeline.wave
    mono = np.zeros(len(wave) or timeline.ticks * WAVE_RATE // ANALYSIS_RATE, np.float32)
    for start in range(0, len(wave), _PIECE):
        part = wave[start : start + _PIECE].astype(np.float32)
        mono[start : start + _PIECE] = part.mean(axis=1) / np.float32(WAVE_FULL_SCALE)
    let_pages_go(wave)
    return mono


def _resampled(
    mono: Float32[np.ndarray, " samples"], rate: int, *, before: int = ANALYSIS_SAMPLE_RATE
) -> Float32[np.ndarray, " resampled"]:
    """Bring sound from one rate to another, Hz; every moment stays where it was."""
    from scipy.signal import resample_poly

    common = math.gcd(rate, before)
    changed = resample_poly(mono, rate // common, before // common, window=("kaiser", 7.0))
    return np.ascontiguousarray(changed, np.float32)
