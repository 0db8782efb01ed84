"""Pretrained audio networks from a local folder, and the vectors that they give for a song of any length.

Folders are as Hugging Face's transformers saves them. Nothing is downloaded, no code of a folder runs, and
pickled weights are refused.
"""

import importlib
import importlib.util
import json
import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from synesthete.clock import samples_at
from synesthete.config.weights import digest_network
from synesthete.errors import ConfigError

__all__ = ["AudioNetwork", "Kind", "check_network", "digest_folder", "load_network"]

Kind = Literal["clap", "wav2vec2", "whisper"]

_WEIGHTS: Final = "model.safetensors"
_CONFIG: Final = "config.json"
_PREPARATION: Final = ("preprocessor_config.json", "processor_config.json")
_TYPES: Final[dict[Kind, tuple[str, ...]]] = {
    "clap": ("clap", "clap_audio_model"),
    "wav2vec2": ("wav2vec2",),
    "whisper": ("whisper",),
}
_NAMES: Final[dict[Kind, str]] = {"clap": "CLAP", "wav2vec2": "Wav2Vec2", "whisper": "Whisper"}
_ONLY_FOR_TRAINING: Final = ("masked_spec_embed", "num_batches_tracked")

_SPEECH_WINDOW_S: Final = 20.0
_OVERLAP: Final = 8
"""Neighbouring windows share an eighth of their length."""
_CLAP_WINDOW_S: Final = 1.0
_CLAP_HOP_S: Final = 0.25
_CLAP_BATCH: Final = 8
_LEAST_POWER: Final = 1e-10

Mono = Float32[np.ndarray, " samples"]
Vectors = Float32[Tensor, "vectors features"]


class AudioNetwork(Protocol):
    """Turns a song into vectors that are evenly spaced in time.

    Attributes
    ----------
    sample_rate
        Of the sound that it wants, Hz.
    features
        Length of a vector.
    first_s, step_s
        The moment of the first vector, and from each to the next; seconds.
    """

    sample_rate: int
    features: int
    first_s: float
    step_s: float

    def blocks(self, mono: Mono, device: torch.device | str) -> Iterator[Vectors]:
        """Give all vectors of a song in order, several at a time."""


def load_network(kind: Kind, folder: Path) -> AudioNetwork:
    """Load a network from a folder.

    - ``wav2vec2``: the last hidden states of a Wav2Vec2 encoder, 50 a second, each at the middle of the 25 ms
      that its convolutions see. The song is brought to mean 0 and variance 1 as a whole, if the folder's
      preparation says so, and read in windows of 20 s.
    - ``whisper``: the last hidden states of a Whisper encoder, 50 a second, read in windows of 30 s, the last
      of them followed by silence.
    - ``clap``: the audio embedding of one second around every quarter of a second; windows are padded as the
      folder's preparation says, by default repeated until they fill the 10 s that such networks are made for.

    Neighbouring windows of ``wav2vec2`` and ``whisper`` share an eighth of their length, in which one fades
    into the next: no vector is taken from the edge of a window inside the song.

    Raises
    ------
    ConfigError
        If there is no such folder or network in it, or the extra ``embed`` is not installed.

    References
    ----------
    Baevski et al., "wav2vec 2.0: a framework for self-supervised learning of speech representations", 2020.
    Radford et al., "Robust speech recognition via large-scale weak supervision", 2022.
    Wu et al., "Large-scale contrastive language-audio pretraining with feature fusion and keyword-to-caption
    augmentation", 2023.
    """
    check_network(kind, folder)
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # read when transformers is imported
    transformers: Any = importlib.import_module("transformers")
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    make = {"clap": _clap, "wav2vec2": _wav2vec2, "whisper": _whisper}[kind]
    try:
        with torch.random.fork_rng(devices=[]):
            found: AudioNetwork = make(transformers, folder)
    except ConfigError:
        raise
    except Exception as error:  # the library raises many kinds
        raise ConfigError(
            f"embedding_dir = {folder} can't be loaded ({_short(error)}); save the model there anew"
        ) from None
    return found


def digest_folder(folder: Path) -> str:
    """SHA-256 of everything in a folder that its vectors depend on: weights, shape, preparation of sound.

    Raises
    ------
    ConfigError
        If it can't be read.
    """
    try:
        return digest_network(folder)
    except OSError as error:
        raise ConfigError(
            f"embedding_dir = {folder} can't be read ({error.strerror or error}); name a folder that can"
        ) from None


def check_network(kind: Kind, folder: Path) -> None:
    """See, without loading it, that a folder says it holds such a network, and that it could be loaded.

    Raises
    ------
    ConfigError
        If it doesn't, its weights are not safe to load, or the extra ``embed`` is not installed.
    """
    remedy = f"name the folder of a {_NAMES[kind]} model"
    if not folder.is_dir():
        raise ConfigError(f"embedding_dir = {folder} is no folder; {remedy}")
    try:
        found = json.loads((folder / _CONFIG).read_bytes())["model_type"]
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigError(
            f"embedding_dir = {folder} has no {_CONFIG} that names a type of model; {remedy}"
        ) from None
    if found not in _TYPES[kind]:
        raise ConfigError(f"embedding_dir = {folder} holds a model of type {found!r:.40}; {remedy}")
    if not (folder / _WEIGHTS).is_file():
        raise ConfigError(
            f"embedding_dir = {folder} has no {_WEIGHTS}; other weights are refused, so save it as "
            "safetensors"
        )
    if importlib.util.find_spec("transformers") is None:
        raise ConfigError(
            f'embedding = {kind} needs the extra embed; install it with pip install "synesthete[embed]"'
        )


def _read(network: Any, folder: Path, **changes: Any) -> Any:
    """Read weights, all of them, as float32."""
    model, report = network.from_pretrained(
        folder,
        local_files_only=True,
        use_safetensors=True,
        output_loading_info=True,
        dtype=torch.float32,
        **changes,
    )
    missing = [name for name in report["missing_keys"] if not name.endswith(_ONLY_FOR_TRAINING)]
    if missing:
        raise ConfigError(
            f"embedding_dir = {folder} lacks {len(missing)} of the model's weights, such as {min(missing)}; "
            "save the whole model there anew"
        )
    return model.eval().requires_grad_(False)


def _preparation(extractor: Any, folder: Path, **usual: Any) -> Any:
    """Read how sound is prepared; without a file that says so, as such networks usually have it."""
    if any((folder / name).is_file() for name in _PREPARATION):
        return extractor.from_pretrained(folder, local_files_only=True)
    return extractor(**usual)


def _joined(window: Callable[[int], Vectors], total: int, size: int) -> Iterator[Vectors]:
    """Join windows of ``size`` vectors, of which each fades into the next over an eighth of its length.

    Parameters
    ----------
    window
        Gives the vectors from one on: ``size`` of them, or as many as are left.
    """
    shared = size // _OVERLAP
    step = size - shared
    fade = ((torch.arange(shared) + 0.5) / shared)[:, None]
    ending: Tensor | None = None
    for first in range(0, max(1, total - shared), step):
        vectors = window(first)
        if ending is not None:
            share = fade.to(vectors.device)
            mixed = ending * (1 - share) + vectors[:shared] * share
            vectors = torch.cat([mixed, vectors[shared:]])
        if first + size >= total:
            yield vectors
        else:
            ending = vectors[step:]
            yield vectors[:step]


# Wav2Vec2 ---------------------------------------------------------------------------------------------------


def _wav2vec2(transformers: Any, folder: Path) -> AudioNetwork:
    model = _read(transformers.Wav2Vec2Model, folder, add_adapter=False)  # an adapter would thin out time
    preparation = _preparation(transformers.Wav2Vec2FeatureExtractor, folder)
    return _Wav2Vec2(model, int(preparation.sampling_rate), level=bool(preparation.do_normalize))


class _Wav2Vec2:
    def __init__(self, model: Any, sample_rate: int, *, level: bool) -> None:
        self._model, self._level = model, level
        self._stride, self._reach = 1, 1  # of a vector, samples: to the next one, and what it is made from
        for kernel, stride in zip(model.config.conv_kernel, model.config.conv_stride, strict=True):
            self._reach += (kernel - 1) * self._stride
            self._stride *= stride
        self.sample_rate, self.features = sample_rate, int(model.config.hidden_size)
        self.first_s, self.step_s = (self._reach - 1) / 2 / sample_rate, self._stride / sample_rate
        self._size = max(1, round(_SPEECH_WINDOW_S / self.step_s))

    def blocks(self, mono: Mono, device: torch.device | str) -> Iterator[Vectors]:
        model = self._model.to(device)
        if self._level:
            mono = (mono - mono.mean()) / np.sqrt(mono.var() + np.float32(1e-7))
        total = max(0, len(mono) - self._reach) // self._stride + 1
        sound = torch.from_numpy(np.pad(mono, (0, max(0, self._reach - len(mono)))))

        def window(first: int) -> Vectors:
            last = first + self._size - 1
            stop = len(sound) if last >= total - 1 else last * self._stride + self._reach
            part = sound[first * self._stride : stop]
            found: Tensor = model(part[None].to(device)).last_hidden_state[0]
            return found

        return _joined(window, total, self._size)


# Whisper ----------------------------------------------------------------------------------------------------


def _whisper(transformers: Any, folder: Path) -> AudioNetwork:
    encoder = importlib.import_module("transformers.models.whisper.modeling_whisper").WhisperEncoder
    # The encoder's weights go by other names in a whole model: "model.encoder.…", "encoder.…".
    model = _read(encoder, folder, key_mapping={r"^(model\.)?encoder\.": ""})
    preparation = _preparation(
        transformers.WhisperFeatureExtractor, folder, feature_size=model.config.num_mel_bins
    )
    preparation.dither = 0.0  # it would be drawn from the global generator
    return _Whisper(model, preparation)


class _Whisper:
    def __init__(self, model: Any, preparation: Any) -> None:
        self._model, self._preparation = model, preparation
        self._stride = 2 * int(preparation.hop_length)  # samples from vector to vector: two spectra
        self._size = int(model.config.max_source_positions)
        self.sample_rate, self.features = int(preparation.sampling_rate), int(model.config.d_model)
        self.first_s, self.step_s = 0.0, self._stride / self.sample_rate

    def blocks(self, mono: Mono, device: torch.device | str) -> Iterator[Vectors]:
        model = self._model.to(device)
        total = max(1, math.ceil(len(mono) / self._stride))
        samples = self._size * self._stride

        def window(first: int) -> Vectors:
            part = mono[first * self._stride : first * self._stride + samples]
            prepared = self._preparation(
                part, sampling_rate=self.sample_rate, max_length=samples, return_tensors="pt"
            )
            found: Tensor = model(prepared["input_features"].to(device)).last_hidden_state[0]
            return found[: total - first]

        return _joined(window, total, self._size)


# CLAP -------------------------------------------------------------------------------------------------------


def _clap(transformers: Any, folder: Path) -> AudioNetwork:
    model = _read(transformers.ClapAudioModelWithProjection, folder)
    return _Clap(model, _preparation(transformers.ClapFeatureExtractor, folder))


class _Clap:
    def __init__(self, model: Any, preparation: Any) -> None:
        self._model, self._preparation = model, preparation
        self._fused = bool(model.config.enable_fusion)
        # Networks with fusion were trained on other mel bands.
        bands = preparation.mel_filters if self._fused else preparation.mel_filters_slaney
        self._bands = torch.from_numpy(np.ascontiguousarray(bands.T, np.float32))
        self.sample_rate, self.features = int(preparation.sampling_rate), int(model.config.projection_dim)
        self.first_s, self.step_s = 0.0, _CLAP_HOP_S

    def blocks(self, mono: Mono, device: torch.device | str) -> Iterator[Vectors]:
        model = self._model.to(device)
        wanted = int(self._preparation.nb_max_samples)
        size = min(samples_at(_CLAP_WINDOW_S, self.sample_rate), wanted)
        hop = samples_at(_CLAP_HOP_S, self.sample_rate)
        total = len(mono) // hop + 1
        sound = torch.from_numpy(np.pad(mono, (size // 2, size)))
        for first in range(0, total, _CLAP_BATCH):
            starts = range(first * hop, min(first + _CLAP_BATCH, total) * hop, hop)
            windows = torch.stack([sound[start : start + size] for start in starts]).to(device)
            spectra = self._spectra(windows, wanted)[:, None]
            if self._fused:
                spectra = spectra.expand(-1, 4, -1, -1)  # the whole, and three excerpts of what is longer
            longer = torch.zeros(len(spectra), 1, dtype=torch.bool, device=spectra.device)
            found: Tensor = model(input_features=spectra, is_longer=longer).audio_embeds
            yield found

    def _spectra(
        self, windows: Float32[Tensor, "windows samples"], wanted: int
    ) -> Float32[Tensor, "windows times bands"]:
        """Fill windows up and give their log-mel spectra, dB, as the library's extractor does.

        Differs: in batches, where the sound is; and nothing is drawn from NumPy's global generator.
        """
        asked, size = self._preparation, windows.shape[1]
        times = wanted // size
        if asked.padding == "repeat":
            windows = windows.repeat(1, times + 1)[:, :wanted]
        elif asked.padding == "repeatpad":
            windows = windows.repeat(1, times)
        windows = torch.nn.functional.pad(windows, (0, wanted - windows.shape[1]))
        shape = torch.hann_window(asked.fft_window_size, device=windows.device)
        found = torch.stft(
            windows, asked.fft_window_size, asked.hop_length, window=shape, return_complex=True
        )
        power = self._bands.to(windows.device) @ found.abs().square()
        return (10.0 * power.clamp(min=_LEAST_POWER).log10()).transpose(1, 2)


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
