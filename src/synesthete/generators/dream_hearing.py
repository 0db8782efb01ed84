"""What the model that listens hears in a song: the Timeline, and what a pretrained network makes of it."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import torch
from jaxtyping import Float32

from synesthete.audio.around import embedded_rows, rows_around
from synesthete.audio.timeline import Timeline
from synesthete.errors import ConfigError
from synesthete.files import code_digest, digest_json
from synesthete.generators.blocks import BlockStore
from synesthete.generators.networks import Networks

__all__ = ["heard_rows"]


def heard_rows(
    timeline: Timeline,
    networks: Networks,
    rate: Fraction,
    start: int,
    stop: int,
    *,
    store: BlockStore,
    device: torch.device,
) -> Float32[np.ndarray, "rows columns"]:
    """Give what a model hears at moments that may lie before the song and after it, where it is silent.

    Parameters
    ----------
    rate
        Rows per second; row 0 is the song's first moment.
    start, stop
        Rows ``start`` to ``stop`` (exclusive); negative ones lie before the song.
    store
        Keeps what a pretrained network makes of the song: for all moments at once, as that is dear.
    device
        Where such a network runs.

    Raises
    ------
    ConfigError
        If the song lacks a column that the model hears, or the pretrained network can't be loaded.
    """
    columns, embedder = networks.model.spec.columns, networks.embedder
    own = columns if embedder is None else columns[: -embedder.size]
    missing = [name for name in own if name not in timeline.names]
    if missing:
        raise ConfigError(
            f"diffusion.weights hear {missing[0]!r}, which is no column of this song's Timeline; name "
            "weights that hear what there is"
        )
    rows = rows_around(timeline, own, rate, start, stop)
    if embedder is None:
        return rows
    key = digest_json(
        {
            "code": code_digest(),
            "torch": [torch.__version__, torch.backends.cpu.get_cpu_capability(), device.type],
            "network": [embedder.kind, embedder.size, embedder.digest],
            "heard": [timeline.digest(), str(rate)],
        }
    )
    # By a copy, with which the network goes that it has loaded.
    song = store.get(key, lambda: embedded_rows(replace(embedder), timeline, rate, device=device))
    silence = len(song) - 1
    numbers = np.arange(start, stop)
    inside = (numbers >= 0) & (numbers < silence)
    return np.concatenate([rows, song[np.where(inside, numbers, silence)]], axis=1)
