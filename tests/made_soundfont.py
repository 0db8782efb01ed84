"""A soundfont with one looped sine as every note of one program, written by hand."""

import struct
from pathlib import Path

import numpy as np

RATE = 44_100
PERIOD = 100
PITCH_HZ = RATE / PERIOD
"""The sine's own pitch, A4 (441 Hz), which it has as note 69."""


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _list(kind: bytes, *chunks: bytes) -> bytes:
    return _chunk(b"LIST", kind + b"".join(chunks))


def write_soundfont(path: Path, *, program: int, bank: int = 0) -> Path:
    """Write a SoundFont 2.01 file (E-mu's specification, chapters 4-8) with one preset.

    Its sample is a sine of a tenth of a second that loops.
    """
    samples = 44 * PERIOD
    wave = np.round(20_000 * np.sin(2 * np.pi * np.arange(samples) / PERIOD)).astype("<i2")
    data = np.concatenate([wave, np.zeros(46, "<i2")]).tobytes()

    def name(text: str) -> bytes:
        return text.encode().ljust(20, b"\0")

    presets = name("Sine") + struct.pack("<HHHIII", program, bank, 0, 0, 0, 0)
    presets += name("EOP") + struct.pack("<HHHIII", 0, 0, 1, 0, 0, 0)
    preset_generators = struct.pack("<Hh", 41, 0) + struct.pack("<Hh", 0, 0)  # 41: the instrument
    instruments = name("Sine") + struct.pack("<H", 0) + name("EOI") + struct.pack("<H", 1)
    # 54: loop, 53: the sample, which comes last.
    instrument_generators = struct.pack("<Hh", 54, 1) + struct.pack("<Hh", 53, 0) + struct.pack("<Hh", 0, 0)
    headers = name("Sine") + struct.pack(
        "<IIIIIBbHH", 0, samples, PERIOD, samples - PERIOD, RATE, 69, 0, 0, 1
    )
    headers += name("EOS") + struct.pack("<IIIIIBbHH", 0, 0, 0, 0, 0, 0, 0, 0, 0)
    no_modulators = bytes(10)
    content = b"sfbk" + b"".join(
        (
            _list(
                b"INFO", _chunk(b"ifil", struct.pack("<HH", 2, 1)), _chunk(b"isng", b"EMU8000\0"),
                _chunk(b"INAM", b"Sine\0\0"),
            ),
            _list(b"sdta", _chunk(b"smpl", data)),
            _list(
                b"pdta",
                _chunk(b"phdr", presets),
                _chunk(b"pbag", struct.pack("<HHHH", 0, 0, 1, 0)),
                _chunk(b"pmod", no_modulators),
                _chunk(b"pgen", preset_generators),
                _chunk(b"inst", instruments),
                _chunk(b"ibag", struct.pack("<HHHH", 0, 0, 2, 0)),
                _chunk(b"imod", no_modulators),
                _chunk(b"igen", instrument_generators),
                _chunk(b"shdr", headers),
            ),
        )
    )  # fmt: skip
    path.write_bytes(b"RIFF" + struct.pack("<I", len(content)) + content)
    return path
