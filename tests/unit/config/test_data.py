"""The configuration of the training data."""

from typing import Any

import pytest

from synesthete.config.base import build
from synesthete.config.data import BUCKETS, DataConfig, share_at
from synesthete.errors import ConfigError


def test_every_shape_has_about_as_many_tokens() -> None:
    tokens = {name: (width // 16) * (height // 16) for name, (width, height) in BUCKETS.items()}

    assert tokens == {"square": 64, "wide": 66, "tall": 66}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"frame_rate": 24}, "frame_rate = 24"),
        ({"batch_size": 5}, "multiple of 2"),
        ({"clips_per_song": 3}, "multiple of 2"),
        ({"buckets": {}}, "buckets"),
        ({"buckets": {"round": 1.0}}, "buckets"),
        ({"buckets": {"tall": 0.0}}, "greater than 0"),
        ({"real_mix_prob": 0.5}, "real_mix_prob above 0 needs music_dir"),
        ({"embedding": "clap"}, "embedding = clap needs embedding_dir, the folder of such a model"),
        ({"embedding": "mert"}, "embedding = 'mert'"),
        ({"embedding_size": 0}, "embedding_size = 0"),
        ({"style_frames": 9, "clip_frames": 8}, "ask for fewer"),
        ({"song_seconds": 5.0, "clip_frames": 90, "frame_rate": 15}, "make songs longer or clips shorter"),
        ({"crop_scales": (4.0, 2.0)}, "the smallest, then the largest"),
        ({"crop_size": 65}, "crop_size = 65"),
        ({"audio_debug_mix_prob": ((5, 0.1), (5, 0.2))}, "ascending batches"),
        ({"audio_debug_mix_prob": ()}, "ascending batches"),
        ({"audio_debug_mix_prob": 1.5}, "audio_debug_mix_prob"),
        ({"sead": 3}, "sead is no known field"),
    ],
)
def test_what_can_not_be_is_refused_in_one_sentence(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build(DataConfig, values, where="data")

    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_configuration_survives_json() -> None:
    config = DataConfig(audio_debug_mix_prob=((0, 1.0), (100, 0.1)), buckets={"tall": 1.0}, crops=2)

    assert DataConfig.model_validate_json(config.model_dump_json()) == config


def test_a_schedule_is_linear_between_its_points_and_held_beyond() -> None:
    points = ((10, 1.0), (20, 0.5), (40, 0.0))

    assert [share_at(points, batch) for batch in (0, 10, 15, 20, 30, 40, 1000)] == [
        1.0, 1.0, 0.75, 0.5, 0.25, 0.0, 0.0,
    ]  # fmt: skip
    assert share_at(0.3, 12) == 0.3
    assert share_at(((7, 0.4),), 3) == 0.4


def test_context_and_warm_up_are_whole_frames() -> None:
    config = DataConfig(frame_rate=30, context_s=0.5, warm_up_s=1.5)

    assert (config.context_frames, config.warm_up_frames) == (15, 45)
