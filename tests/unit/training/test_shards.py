import io
import pickle
import shutil
import tarfile
from collections.abc import Sequence
from pathlib import Path

import filelock
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from synesthete.config.data import DataConfig
from synesthete.errors import BusyError, ConfigError, InputError, OutputError
from synesthete.files import digest_file
from synesthete.training import shards as module
from synesthete.training.dataset import BatchDataset, ClipBatches, ClipLoader, LiveItems
from synesthete.training.items import Batch, Item
from synesthete.training.shards import Shards, export_shards, open_shards

CONFIG = DataConfig(
    seed=5, audio_debug_mix_prob=0.7, clip_frames=4, style_frames=2, context_s=0.2, warm_up_s=0.2,
    song_seconds=4, clips_per_song=4, batch_size=2, crops=1, programs=4,
    buckets={"square": 1.0, "wide": 1.0, "tall": 1.0},
)  # fmt: skip
ITEMS, SHARDS = 10, 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "set"
    export_shards(CONFIG, folder, items=ITEMS, shards=SHARDS)
    return folder


@pytest.fixture(scope="module")
def live() -> LiveItems:
    return LiveItems(CONFIG)


def same(one: Item | Batch, two: Item | Batch) -> bool:
    for a, b in zip(one, two, strict=True):
        if isinstance(a, torch.Tensor):
            if a.dtype != b.dtype or not torch.equal(a, b):
                return False
        elif a != b:
            return False
    return True


def test_a_shard_gives_every_item_as_it_was_made(folder: Path, live: LiveItems) -> None:
    read = open_shards(folder).read
    for stored, made in zip(read(range(ITEMS)), live(range(ITEMS)), strict=True):
        assert same(stored, made)
    shapes = {tuple(item.frames.shape[2:]) for item in read(range(ITEMS))}
    assert len(shapes) > 1  # not only squares


@pytest.mark.parametrize(("rank", "ranks", "first"), [(0, 1, 0), (1, 2, 1)])
def test_both_loaders_give_the_same_batches(
    folder: Path, live: LiveItems, rank: int, ranks: int, first: int
) -> None:
    given = {"rank": rank, "ranks": ranks, "first": first, "stop": ITEMS // CONFIG.batch_size}
    stored = list(BatchDataset(ClipBatches(CONFIG, open_shards(folder).read), **given))
    made = list(BatchDataset(ClipBatches(CONFIG, live), **given))
    assert len(stored) == len(made) > 1
    assert all(same(one, two) for one, two in zip(stored, made, strict=True))


def test_worker_processes_read_them_too(folder: Path) -> None:
    read = open_shards(folder).read
    dataset = BatchDataset(ClipBatches(CONFIG, read), stop=ITEMS // CONFIG.batch_size)
    loaded = list(DataLoader(dataset, batch_size=None, num_workers=2))
    assert [batch.number.tolist() for batch in loaded] == [
        [2 * k, 2 * k + 1] for k in range(ITEMS // CONFIG.batch_size)
    ]


def test_the_end_is_followed_by_the_beginning(folder: Path) -> None:
    shards = open_shards(folder)
    (later,) = shards.read([ITEMS + 3])
    assert later.number == ITEMS + 3  # by which noise is drawn: it is not the first round's
    assert same(later._replace(number=3), shards.read([3])[0])
    loader = iter(ClipLoader(CONFIG, shards.read))
    seen = [next(loader) for _ in range(ITEMS // 2 + 1)]
    assert torch.equal(seen[-1].frames, seen[0].frames)
    assert torch.equal(seen[-1].number, seen[0].number + ITEMS)


def test_repeating_gives_the_same_bytes_and_makes_only_what_is_missing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: digest_file(path) for path in folder.iterdir()}
    again = tmp_path / "again"
    shutil.copytree(folder, again)
    (again / "shard-00001.tar").unlink()
    (again / ".shard-00001.0123abcd.tar.part").write_bytes(b"half")
    written: list[str] = []
    write = module._write_shard

    def spy(job: tuple[Path, object, object, range]) -> None:
        written.append(job[0].name)
        write(job)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "_write_shard", spy)
    export_shards(CONFIG, again, items=ITEMS, shards=SHARDS)
    assert written == ["shard-00001.tar"]
    assert {path.name: digest_file(path) for path in again.iterdir()} == before


@pytest.mark.slow  # each process imports torch
def test_processes_write_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    counted: list[tuple[int, int]] = []
    export_shards(
        CONFIG,
        tmp_path / "set",
        items=ITEMS,
        shards=SHARDS,
        workers=2,
        on_shard=lambda *count: counted.append(count),
    )
    assert counted == [(0, 3), (1, 3), (2, 3), (3, 3)]
    for path in folder.iterdir():
        assert digest_file(path) == digest_file(tmp_path / "set" / path.name)


def test_webdataset_itself_reads_them(folder: Path, live: LiveItems) -> None:
    from webdataset.tariterators import group_by_keys, tar_file_expander

    samples = []  # by its own parts, as the whole leaves files open
    for path in sorted(folder.glob("*.tar")):
        with path.open("rb") as handle:
            samples += list(group_by_keys(tar_file_expander([{"url": path.name, "stream": handle}])))
    assert [sample["__key__"] for sample in samples] == [f"{index:09d}" for index in range(ITEMS)]
    rows = np.lib.format.read_array(io.BytesIO(samples[7]["rows.npy"]))
    assert np.array_equal(rows, live([7])[0].rows.numpy())
    assert set(samples[0]) >= {"frames.webp", "style_frames.webp", "rows.npy", "style.npy", "item.json"}


def test_tars_hold_nothing_of_when_and_who(folder: Path) -> None:
    with tarfile.open(folder / "shard-00000.tar") as tar:
        members = tar.getmembers()
    assert {(member.mtime, member.uid, member.gid) for member in members} == {(0, 0, 0)}
    assert [member.name for member in members] == sorted(member.name for member in members)


@pytest.mark.parametrize("count", [1, 3, 92, 93, 94, 128])
def test_pictures_of_any_number_of_frames_come_back(count: int) -> None:
    shape = (count, 3, 176, 4)  # 93 of them are as high as a WebP can be
    frames = np.random.default_rng(count).integers(0, 256, shape, np.uint8)
    assert np.array_equal(module._pictures(module._webp(frames), shape), frames)


def test_shards_survive_pickling(folder: Path) -> None:
    shards = open_shards(folder)
    shards.read([0])
    copy: Shards = pickle.loads(pickle.dumps(shards))
    assert copy == shards
    assert same(copy.read([1])[0], shards.read([1])[0])


def test_few_of_many_shards_are_kept_in_mind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_KNOWN_SHARDS", 1)
    shards = open_shards(folder)
    for index in (0, ITEMS - 1, 1, ITEMS - 2):
        assert shards.read([index])[0].number == index
        assert len(shards._places) == 1


def test_another_dataset_is_not_mixed_in(folder: Path) -> None:
    with pytest.raises(OutputError, match="holds another dataset"):
        export_shards(CONFIG.model_copy(update={"seed": 6}), folder, items=ITEMS, shards=SHARDS)
    with pytest.raises(OutputError, match="holds another dataset"):
        export_shards(CONFIG, folder, items=ITEMS, shards=2)


def test_two_exports_into_one_folder_do_not_meet(folder: Path) -> None:
    with filelock.FileLock(folder / ".lock"), pytest.raises(BusyError, match="another process"):
        export_shards(CONFIG, folder, items=ITEMS, shards=SHARDS)


def test_shards_of_unknown_origin_are_left_alone(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "shard-00000.tar", tmp_path)
    with pytest.raises(OutputError, match="unknown origin"):
        export_shards(CONFIG, tmp_path, items=ITEMS, shards=SHARDS)


@pytest.mark.parametrize(
    ("items", "shards", "said"),
    [
        (7, 1, "pass for instance 8"),
        (0, 1, "pass for instance 2"),
        (4, 3, "outside 1 to 2"),
        (4, 0, "outside 1"),
    ],
)
def test_numbers_that_cannot_be_are_refused(tmp_path: Path, items: int, shards: int, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        export_shards(CONFIG, tmp_path / "set", items=items, shards=shards)
    assert not (tmp_path / "set").exists()


def test_missing_and_damaged_shards_are_named(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    path = copy / "shard-00002.tar"
    data = path.read_bytes()
    for damage in (data[:2_000], b"", data[:1024] + bytes(len(data) - 1024), b"x" * len(data)):
        path.write_bytes(damage)
        with pytest.raises(InputError, match=r"shard-00002\.tar is missing or damaged"):
            open_shards(copy).read([ITEMS - 1])
    path.unlink()
    with pytest.raises(InputError, match="1 of 3 shards are missing"):
        open_shards(copy)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"kind": "synesthete dataset", "version": 99}'])
def test_what_is_no_dataset_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "dataset.json").write_text(text)
    with pytest.raises(InputError, match="holds no dataset of this version"):
        open_shards(tmp_path)


def test_a_missing_extra_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"synesthete\[train\]"):
        export_shards(CONFIG, tmp_path / "set", items=ITEMS, shards=SHARDS)


def _indices(items: Sequence[Item]) -> list[int]:
    return [item.number for item in items]


def test_items_come_in_the_order_that_is_asked_for(folder: Path) -> None:
    assert _indices(open_shards(folder).read([9, 0, 4])) == [9, 0, 4]
