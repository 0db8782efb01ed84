"""Measure training data: its colours, its sound, its programs, and whether clips follow their sound."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float32

from synesthete.audio.columns import COLUMN_NAMES
from synesthete.config.augment import AugmentConfig
from synesthete.config.data import DataConfig
from synesthete.evaluation.observe import observe
from synesthete.evaluation.picture import measure_picture
from synesthete.generators.base import Size
from synesthete.generators.quantise import Quantiser
from synesthete.programs.program import Program
from synesthete.training.items import Item, frame_rows
from synesthete.training.music import Music
from synesthete.training.reactivity import CAUSES, ClipDynamics, measure_reactivity
from synesthete.training.songs import Songs

__all__ = ["LOOKS", "PERCENTILES", "measure_items", "music_columns"]

LOOKS: Final = ("saturation", "contrast", "brightness", "dark", "clipped")
"""What of pictures is reported; see `synesthete.evaluation.look.measure_look`."""

PERCENTILES: Final = (0, 5, 25, 50, 75, 95, 100)
_DIGITS: Final = 5
_LEFT_OUT: Final = ("time",)
_AS_IT_IS: Final = AugmentConfig(
    gain_db=(0.0, 0.0), eq_prob=0, speed_prob=0, tempo_prob=0, pitch_prob=0, invert_prob=0, swap_prob=0,
    mono_prob=0,
)  # fmt: skip


@dataclass(frozen=True)
class _Seen:
    """What is kept of one item."""

    looks: dict[str, float]
    rows: Float32[np.ndarray, "frames columns"]
    dynamics: ClipDynamics
    words: frozenset[tuple[str, str]]
    reactive: bool
    real: bool


def measure_items(
    config: DataConfig,
    items: Iterable[Item],
    *,
    on_item: Callable[[int], None] = lambda done: None,
) -> dict[str, Any]:
    """Measure items.

    Parameters
    ----------
    config
        What they were made from.
    on_item
        Is told how many are done.

    Returns
    -------
    As JSON has it: ``items``; ``picture`` with percentiles over clips of each of `LOOKS` and of motion;
    ``columns`` with percentiles over all frames of each column of the Timeline; ``reactivity``, from
    `synesthete.training.reactivity.measure_reactivity`; ``programs``: the share of
    reactive ones, and in what share of the other clips each word is found; ``music``: the share of clips with
    recorded music.
    """
    seen = []
    for item in items:
        seen.append(_see(config, item))
        on_item(len(seen))
    looks = {name: np.array([one.looks[name] for one in seen]) for name in (*LOOKS, "motion")}
    catalogued = [one for one in seen if not one.reactive]
    words = Counter(word for one in catalogued for word in one.words)
    families: dict[str, dict[str, float]] = {}
    for (family, word), number in words.most_common():
        families.setdefault(family, {})[word] = round(number / len(catalogued), _DIGITS)
    return {
        "items": len(seen),
        "picture": {name: _spread(values) for name, values in looks.items()},
        "columns": _column_spreads(np.concatenate([one.rows for one in seen])),
        "reactivity": _rounded(measure_reactivity([one.dynamics for one in seen])),
        "programs": {"reactive": round(1 - len(catalogued) / len(seen), _DIGITS), "words": families},
        "music": {"recorded": round(float(np.mean([one.real for one in seen])), _DIGITS)},
    }


def music_columns(config: DataConfig, music: Music, *, songs: int) -> dict[str, dict[str, float]]:
    """Give percentiles of the Timeline's columns over excerpts of recorded music, as it is.

    Parameters
    ----------
    songs
        How many excerpts, each as long as a song of the dataset.
    """
    changes = {
        "music_dir": Path(), "real_mix_prob": 1.0, "augment": _AS_IT_IS, "embedding": "none",
    }  # fmt: skip
    recorded = Songs(config.model_copy(update=changes), music)
    tables = [recorded.song(number).timeline.at_frames(config.rate) for number in range(songs)]
    return _column_spreads(np.concatenate(tables))


def _see(config: DataConfig, item: Item) -> _Seen:
    size = Size(item.frames.shape[3], item.frames.shape[2])
    quantiser = Quantiser(size)
    planes = (quantiser.yuv420(frame).numpy() for frame in item.frames.float() / 255)
    observation = observe(planes, size=size, frame_rate=config.rate)
    rows = frame_rows(config, item).numpy()
    places = [COLUMN_NAMES.index(name) for name in CAUSES]
    effects = np.stack([measure_picture(observation).brightness, observation.motion], axis=1)
    program = Program.from_text(item.program)
    return _Seen(
        looks={
            **{name: float(observation.look(name).mean()) for name in LOOKS},
            "motion": float(observation.motion[1:].mean()) if len(item.frames) > 1 else 0.0,
        },
        rows=rows,
        dynamics=ClipDynamics(
            causes=rows[1:, places], silence=rows[1:, COLUMN_NAMES.index("silence")], effects=effects[1:]
        ),
        words=frozenset((node.primitive.family, node.primitive.name) for node in program.root.walk()),
        reactive=item.program_number < 0,
        real="real" in json.loads(item.facts),
    )


def _column_spreads(rows: Float32[np.ndarray, "rows columns"]) -> dict[str, dict[str, float]]:
    return {name: _spread(rows[:, place]) for place, name in enumerate(COLUMN_NAMES) if name not in _LEFT_OUT}


def _spread(values: Any) -> dict[str, float]:
    found = np.percentile(np.asarray(values, np.float64), PERCENTILES)
    return {
        f"p{place}": round(float(value), _DIGITS) for place, value in zip(PERCENTILES, found, strict=True)
    }


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(inner) for name, inner in value.items()}
    return round(value, _DIGITS) if isinstance(value, float) else value
