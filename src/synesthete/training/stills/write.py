"""Write stills into a folder: pictures with what is known of them, a manifest, and the worst put aside.

The folder holds ``BUCKET/BUCKET-00000.png`` with ``.json`` beside it, the same under ``culled/`` for what is
put aside, ``manifest.csv``, and ``stills.json``, which says what all pictures depend on.
"""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from synesthete.errors import InputError, OutputError
from synesthete.files import (
    digest_file,
    locked,
    make_folder,
    sweep_parts,
    write_json,
    write_whole,
    writing_to,
)
from synesthete.media.images import write_png
from synesthete.training.processes import each
from synesthete.training.stills.culling import (
    MEASURES,
    Fault,
    Measures,
    find_worst,
    measure_still,
    thumbnail_of,
)
from synesthete.training.stills.sources import StillSource

__all__ = ["CULLED", "MANIFEST", "RECIPE", "Written", "read_still", "write_stills"]

RECIPE: Final = "stills.json"
MANIFEST: Final = "manifest.csv"
CULLED: Final = "culled"

_KIND: Final = "synesthete stills"
_COLUMNS: Final = ("file", "bucket", "index", *MEASURES, "kept", "reason", "amount", "sha256", "facts")
_ROUNDS, _MOST_TOGETHER = 8, 16
"""How often each process is sent pictures to draw, and how many at most at a time."""
_DAMAGE: Final = (OSError, ValueError, KeyError, TypeError, SyntaxError, Image.DecompressionBombError)


@dataclass(frozen=True)
class Written:
    """What lies in the folder.

    Attributes
    ----------
    kept, culled
        How many pictures of the ones that were asked for.
    made
        How many of them were not there before.
    reasons
        How many were put aside, by reason.
    """

    kept: int
    culled: int
    made: int
    reasons: Mapping[str, int]


@dataclass(frozen=True)
class _Entry:
    """A finished picture: where it is, and what its sidecar says."""

    bucket: str
    index: int
    path: Path
    facts: Mapping[str, Any]
    measures: Measures

    @classmethod
    def of(cls, path: Path, facts: Mapping[str, Any]) -> "_Entry":
        measures = Measures(**{name: float(facts[name]) for name in MEASURES})
        return cls(facts["bucket"], facts["index"], path, facts, measures)


def write_stills(
    source: StillSource,
    folder: Path,
    numbers: Mapping[str, Sequence[int]],
    *,
    cull: float = 0.0,
    workers: int = 1,
    on_still: Callable[[int, int], None] = lambda done, of: None,
) -> Written:
    """Write pictures of each bucket; repeating the call makes only those that are missing.

    Any number of processes gives the same files.

    Parameters
    ----------
    source
        Draws them.
    folder
        Where they go; it holds nothing else.
    numbers
        Which of each bucket, by index, no two alike; other pictures, from a call before, stay and are not in
        the manifest.
    cull
        0-1: the share of each bucket, its worst, to put aside. Another share next time brings back what it
        spares.
    workers
        Processes that draw at the same time; with several, the source is sent to them.
    on_still
        Is told how many there are, and of how many.

    Raises
    ------
    OutputError
        If the folder holds other pictures, or can't be written.
    BusyError
        If another process writes into it.
    SynestheteError
        What the source raises.
    """
    make_folder(folder)
    with locked(folder, doing="writes stills into"):
        sweep_parts(folder)
        _claim(folder, {"kind": _KIND, **source.recipe})
        wanted = [(bucket, index) for bucket, indices in numbers.items() for index in indices]
        for bucket in numbers:
            for place in (folder / bucket, folder / CULLED / bucket):
                sweep_parts(place)
        found = {still: entry for still in wanted if (entry := _finished(folder, *still)) is not None}
        missing = [still for still in wanted if still not in found]
        on_still(len(found), len(wanted))
        jobs = [(source, folder, *still) for still in missing]
        together = min(_MOST_TOGETHER, max(1, len(jobs) // (_ROUNDS * workers)))
        for entry in each(_make, jobs, workers, together=together):
            found[entry.bucket, entry.index] = entry
            on_still(len(found), len(wanted))
        entries = [found[still] for still in wanted]
        faults = _worst(entries, cull)
        placed = [_placed(folder, entry, aside=place in faults) for place, entry in enumerate(entries)]
        write_whole(folder / MANIFEST, _manifest(folder, placed, faults).encode())
    reasons: dict[str, int] = {}
    for fault in faults.values():
        reasons[fault.reason] = reasons.get(fault.reason, 0) + 1
    return Written(len(entries) - len(faults), len(faults), len(missing), reasons)


def read_still(path: Path) -> UInt8[np.ndarray, "height width 3"]:
    """Read a picture, sRGB.

    Raises
    ------
    InputError
        If it is none, or damaged.
    """
    try:
        with Image.open(path) as picture:
            return np.array(picture.convert("RGB"))
    except _DAMAGE as error:
        raise InputError(
            f"{path} is no picture that can be read ({error}); remove it and repeat the command"
        ) from error


def _claim(folder: Path, recipe: Mapping[str, Any]) -> None:
    """Write the recipe, or see that the folder has the same one."""
    path = folder / RECIPE
    if path.is_file():
        try:
            same = json.loads(path.read_text()) == json.loads(json.dumps(recipe))
        except _DAMAGE:
            same = False
        if not same:
            raise OutputError(
                f"{folder} holds stills of another seed, size or source; name another folder, or remove it"
            )
        return
    if any(not child.name.startswith(".") for child in folder.iterdir()):
        raise OutputError(f"{folder} holds other files; name an empty folder, or a new one")
    write_json(path, recipe)


def _name(bucket: str, index: int) -> str:
    return f"{bucket}-{index:05d}.png"


def _finished(folder: Path, bucket: str, index: int) -> _Entry | None:
    """Find a picture that is there, with a sidecar that fits it, in either place."""
    name = _name(bucket, index)
    pictures = (folder / bucket / name, folder / CULLED / bucket / name)
    for picture in pictures:
        for beside in pictures:
            # A process may have been killed after it moved one of the two.
            sidecar = beside.with_suffix(".json")
            try:
                facts = json.loads(sidecar.read_text())
                if facts["sha256"] == digest_file(picture):
                    if sidecar.parent != picture.parent:
                        sidecar.replace(picture.with_suffix(".json"))
                    return _Entry.of(picture, facts)
            except _DAMAGE:
                continue
    return None


def _make(job: tuple[StillSource, Path, str, int]) -> _Entry:
    source, folder, bucket, index = job
    still = source.draw(bucket, index)
    path = folder / bucket / _name(bucket, index)
    write_png(path, still.picture)
    facts = {
        "bucket": bucket,
        "index": index,
        "sha256": digest_file(path),
        **measure_still(still.picture)._asdict(),
        "facts": dict(still.facts),
    }
    # Last, for with it the picture counts as finished.
    write_json(path.with_suffix(".json"), facts)
    return _Entry.of(path, facts)


def _worst(entries: list[_Entry], share: float) -> dict[int, Fault]:
    """Find the worst of each bucket, by their places in the list."""
    faults: dict[int, Fault] = {}
    if share == 0.0:
        return faults
    for bucket in dict.fromkeys(entry.bucket for entry in entries):
        places = [place for place, entry in enumerate(entries) if entry.bucket == bucket]
        looks = np.concatenate([thumbnail_of(read_still(entries[place].path)) for place in places])
        worst = find_worst([entries[place].measures for place in places], looks, share=share)
        faults |= {places[place]: fault for place, fault in worst.items()}
    return faults


def _placed(folder: Path, entry: _Entry, *, aside: bool) -> _Entry:
    """Move a picture to where it belongs."""
    root = folder / CULLED if aside else folder
    target = root / entry.bucket / entry.path.name
    if target == entry.path:
        return entry
    make_folder(target.parent)
    with writing_to(target):
        entry.path.replace(target)
        entry.path.with_suffix(".json").replace(target.with_suffix(".json"))
    return replace(entry, path=target)


def _manifest(folder: Path, entries: list[_Entry], faults: Mapping[int, Fault]) -> str:
    handle = io.StringIO()
    rows = csv.writer(handle, lineterminator="\n")
    rows.writerow(_COLUMNS)
    for place, entry in enumerate(entries):
        fault = faults.get(place)
        rows.writerow(
            (
                entry.path.relative_to(folder).as_posix(),
                entry.bucket,
                entry.index,
                *entry.measures,
                "no" if fault else "yes",
                fault.reason if fault else "",
                round(fault.amount, 3) if fault else "",
                entry.facts["sha256"],
                json.dumps(entry.facts["facts"], ensure_ascii=False),
            )
        )
    return handle.getvalue()
