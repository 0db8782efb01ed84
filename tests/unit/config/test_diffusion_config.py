"""The configuration of the model that listens: its presets, and what can't be learned."""

from typing import Any

import pytest

from synesthete.config.base import build
from synesthete.config.diffusion import DIFFUSION_PRESETS, DiffusionConfig, load_diffusion_config
from synesthete.config.training import TrainPreset
from synesthete.config.vae import HELD_OUT
from synesthete.errors import ConfigError


@pytest.mark.parametrize("preset", DIFFUSION_PRESETS)
def test_presets_hold_programs_out_and_come_back_from_json(preset: TrainPreset) -> None:
    config = load_diffusion_config(preset)
    assert config.data.first_program + config.data.programs <= HELD_OUT.start
    assert DiffusionConfig.model_validate_json(config.model_dump_json()) == config


def test_negatives_are_replaced_as_a_whole() -> None:
    config = load_diffusion_config("small", None, ["pressure.negatives={roll: 2}"])
    assert config.pressure.negatives == {"roll": 2.0}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {"model": {"row_layers": 6}},
            "hears 126 rows on each side, and the data has 30; raise data.context_s",
        ),
        ({"data": {"style_frames": 0}}, "style is read from data.style_frames"),
        ({"data": {"clip_frames": 1, "style_frames": 1}}, "raise data.clip_frames to 2 or more"),
        ({"data": {"batch_size": 2}}, "raise data.batch_size to 4 or more"),
        ({"pressure": {"negatives": {}}}, "negatives"),
        ({"pressure": {"negatives": {"clip": 0.0}}}, "greater than 0"),
        ({"pressure": {"negatives": {"clip": -1.0}}}, "greater than 0"),
        ({"pressure": {"negatives": {"loud": 1.0}}}, "negatives"),
        ({"pressure": {"prob": [[10, 0.5], [0, 0.1]]}}, "ascending batches"),
        ({"model": {"width": 100}}, "multiple of 64"),
        ({"model": {"blocks": 3}}, "multiple of 2"),
        ({"steps": 10, "validate_every": 4}, "must be a multiple of validate_every"),
    ],
)
def test_what_cannot_be_learned_is_refused(values: dict[str, Any], said: str) -> None:
    data = {"context_s": 1.0, "rows_per_frame": 2, **values.get("data", {})}
    with pytest.raises(ConfigError, match=said):
        build(DiffusionConfig, {**values, "data": data}, where="options")
