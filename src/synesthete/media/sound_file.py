"""Write samples to a sound file that loses nothing: WAV or FLAC, 24 bits."""

from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.audio.stream import AudioStream
from av.codec.context import Flags
from jaxtyping import Float32

from synesthete.errors import InputError, OutputError
from synesthete.files import whole_file
from synesthete.media.codecs import Container
from synesthete.media.encode import open_output

__all__ = ["SOUND_SUFFIXES", "write_sound"]

_KINDS: Final = {
    ".wav": (Container("wav", ".wav"), "pcm_s24le"),
    ".flac": (Container("flac", ".flac"), "flac"),
}
SOUND_SUFFIXES: Final = tuple(_KINDS)
"""How names of such files end."""

_BLOCK: Final = 65_536
_FULL_SCALE: Final = 2**23


def write_sound(path: Path, sound: Float32[np.ndarray, "channels samples"], sample_rate: int) -> None:
    """Write a sound of one or two channels; the file appears whole, and 0 stays 0.

    Parameters
    ----------
    path
        Ends in ``.wav`` or ``.flac``.
    sound
        Within ±1; what is beyond is clipped.
    sample_rate
        Samples per second, Hz.

    Raises
    ------
    OutputError, RenderError
        If the name ends otherwise, or the file can't be written.
    InputError
        If there are no samples, or more than two channels.
    """
    if path.suffix.lower() not in _KINDS:
        raise OutputError(f"{path} does not end in {' or '.join(SOUND_SUFFIXES)}; name a WAV or a FLAC file")
    if sound.ndim != 2 or len(sound) not in (1, 2) or not sound.shape[1]:
        raise InputError(
            f"a sound of shape {sound.shape} can't be written; give one or two channels of samples"
        )
    kind, codec = _KINDS[path.suffix.lower()]
    layout = "mono" if len(sound) == 1 else "stereo"
    with whole_file(path) as part, open_output(part, kind) as container:
        stream = container.add_stream(codec, rate=sample_rate)
        assert isinstance(stream, AudioStream)
        context = stream.codec_context
        context.layout, context.format = layout, "s32"
        context.flags |= Flags.bitexact
        for start in range(0, sound.shape[1], _BLOCK):
            block = sound[:, start : start + _BLOCK].astype(np.float64)
            whole = np.clip(np.rint(block * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int32) << 8
            frame = av.AudioFrame.from_ndarray(whole.T.reshape(1, -1), format="s32", layout=layout)
            frame.sample_rate = sample_rate
            frame.pts, frame.time_base = start, Fraction(1, sample_rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
