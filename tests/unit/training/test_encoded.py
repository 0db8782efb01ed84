"""Clips that are encoded once: what is kept is what the autoencoder says, and it is made only once."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from made_models import tiny_vae
from synesthete.config.data import DataConfig
from synesthete.training.dataset import LiveItems
from synesthete.training.encoded import EncodedItems
from synesthete.training.items import Item, stack

DATA = DataConfig(
    batch_size=4, clip_frames=2, style_frames=1, context_s=0.2, song_seconds=4, warm_up_s=0.2,
    audio_debug_mode=True, buckets={"square": 1.0},
)  # fmt: skip


class Counted:
    """Makes items, and remembers for which numbers it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self._made = LiveItems(DATA)

    def __call__(self, numbers: Sequence[int]) -> list[Item]:
        self.asked.append(list(numbers))
        return self._made(numbers)


@pytest.fixture(scope="module")
def true() -> list[Item]:
    return LiveItems(DATA)(range(4))


def test_items_are_made_once_and_gone_round(true: list[Item], tmp_path: Path) -> None:
    made, vae = Counted(), tiny_vae()
    source = EncodedItems(made, vae, tmp_path / "kept", count=8)
    first = source(range(4))
    source(range(4, 8))
    again = EncodedItems(made, vae, tmp_path / "kept", count=8)(range(8, 12))
    assert made.asked == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert [item.number for item in again] == [8, 9, 10, 11]
    for one, other, item in zip(first, again, true, strict=True):
        assert torch.equal(one.latents, other.latents)
        assert torch.equal(one.rows, item.rows)
        assert one.program_number == item.program_number
        expected = vae.encode(item.frames.float() / 255.0).mean
        assert torch.allclose(one.latents.float(), expected, atol=0.02 * float(expected.std()) + 0.02)
    batch = stack(again)
    assert batch.clip_frames == 2
    assert batch.frames.numel() == 0


def test_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    made = Counted()
    source = EncodedItems(made, tiny_vae(), tmp_path, count=4)
    first = source(range(4))
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    assert torch.equal(source(range(4))[3].latents, first[3].latents)
    assert path.read_bytes() == whole
    assert len(made.asked) == 2
