"""Make a sheet: draw its cells, lay them out, make the mosaic film and the gallery, save and rate cells.

::

    renders/explore-SONG-xxxxxxxxxx/
      sheet.png       all cells, four moments each
      mosaic.mp4      all cells at once, with the sound of those moments
      cells/          each cell's preset, picture and film
      gallery.html    the cells moving, to be rated
      ratings.json    stars by cell
      meta.json       song, moments, labels; written last
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from synesthete import __version__
from synesthete.audio.moments import telling_moments
from synesthete.audio.timeline import Timeline
from synesthete.clock import format_duration
from synesthete.config.explore import BreedOptions, ExploreOptions, SheetOptions
from synesthete.config.preset import GeneratorName, load_preset
from synesthete.config.render import RenderOptions
from synesthete.errors import ConfigError, InputError, OutputError
from synesthete.files import code_digest, digest_json, make_folder, slug, write_json
from synesthete.generators.build import network_digests_of
from synesthete.media.images import contact_sheet, write_png
from synesthete.render.effort import choose_workers
from synesthete.render.explore.cells import CellFiles, draw_cells, preset_text, write_preset
from synesthete.render.explore.gallery import Ratings, write_gallery
from synesthete.render.explore.looks import Look, bred_looks, parse_sweep, seeded_looks, swept_looks
from synesthete.render.explore.mosaic import write_mosaic
from synesthete.render.listen import hear
from synesthete.render.output import check_output
from synesthete.render.plan import SongFacts, library_digest
from synesthete.render.run import RunFolder
from synesthete.render.threads import interruptible

__all__ = ["Sheet", "breed", "explore"]

Event = dict[str, Any]

_VERSION: Final = 1


@dataclass(frozen=True)
class Sheet:
    """A finished sheet.

    Attributes
    ----------
    folder
        Its run folder; what ``breed`` takes.
    picture
        The contact sheet.
    mosaic, gallery
        The film of all cells and the page, if they were made.
    labels
        Of the cells, in order.
    saved
        Presets that were written.
    """

    folder: Path
    picture: Path
    mosaic: Path | None
    gallery: Path | None
    labels: tuple[str, ...]
    saved: tuple[Path, ...]


def explore(
    song: Path, options: ExploreOptions, *, on_event: Callable[[Event], None] = lambda event: None
) -> Sheet:
    """Lay out many looks of one song: seeds, or a sweep.

    Repeating the call finds what is finished; so cells can be saved and rated later.

    Parameters
    ----------
    on_event
        Receives ``sheet``, ``progress`` and ``done`` as JSON-ready mappings.

    Raises
    ------
    InputError, ConfigError, OutputError
        If the song or the options can't be used.
    """
    generator = _generator(options)
    columns, rows = options.grid
    _check_saves(options, song)
    timeline, facts = _heard(song, options)
    if options.sweep:
        looks = swept_looks(
            generator,
            options.preset,
            [parse_sweep(text) for text in options.sweep],
            options.grid,
            seed=options.seed,
            style=options.style,
        )
    else:
        looks = seeded_looks(
            generator, options.preset, columns * rows, seed=options.seed, style=options.style
        )
    title = f"{song.stem}   {options.preset or generator}   seed {options.seed}"
    return _make_sheet(timeline, facts, looks, options, title, on_event)


def breed(
    sheet: Path, options: BreedOptions, *, on_event: Callable[[Event], None] = lambda event: None
) -> Sheet:
    """Make the next generation from cells of a sheet.

    Parameters
    ----------
    sheet
        Its folder, or a file in it.

    Raises
    ------
    InputError
        If it is no sheet, or its song has gone.
    ConfigError
        If a parent is not on it, or none is named and none is rated.
    """
    folder = sheet if sheet.is_dir() else sheet.parent
    meta = _meta(folder, sheet)
    song = Path(meta["song"])
    _check_saves(options, song)
    count = len(meta["labels"])
    chosen = options.parents or Ratings.read(folder).best()
    if not chosen:
        raise ConfigError(f"no cell of {folder} is rated; pass --parents, such as --parents 3,7")
    for number in chosen:
        if number > count:
            raise ConfigError(f"there is no cell {number} in {folder}; it has 1 to {count}")
    parents = []
    for number in chosen:
        preset = load_preset(str(CellFiles(folder / "cells", number).preset))
        parents.append(preset.model_copy(update={"name": f"cell-{number}"}))
    timeline, facts = _heard(song, options)
    columns, rows = options.grid
    looks = bred_looks(parents, columns * rows, seed=options.seed, strength=options.strength)
    title = f"{song.stem}   bred from {', '.join(map(str, chosen))}   seed {options.seed}"
    return _make_sheet(timeline, facts, looks, options, title, on_event)


def _make_sheet(
    timeline: Timeline,
    facts: SongFacts,
    looks: Sequence[Look],
    options: SheetOptions,
    title: str,
    on_event: Callable[[Event], None],
) -> Sheet:
    started = time.perf_counter()
    moments = telling_moments(timeline)
    inputs = [
        _VERSION, facts.identity(), [preset_text(look.preset) for look in looks], list(options.grid),
        code_digest(), library_digest(), network_digests_of(look.preset for look in looks),
    ]  # fmt: skip
    name = f"explore-{slug(facts.path.stem, limit=32)}-{digest_json(inputs)[:10]}"
    folder = RunFolder(options.workspace / "renders" / name)
    on_event({"event": "sheet", "folder": str(folder.path), "cells": len(looks)})

    def on_cell(done: int) -> None:
        on_event({"event": "progress", "cells": done, "of": len(looks)})

    with folder.opened():
        workers = choose_workers(RenderOptions(resolution="256x144"), len(looks))
        own = make_folder(folder.path / "cells")
        cells = draw_cells(
            looks, timeline, moments, own,
            workers=workers, workspace=options.workspace, on_cell=on_cell,
        )  # fmt: skip
        picture = folder.path / "sheet.png"
        labels = tuple(look.label for look in looks)
        if not picture.is_file():
            pictures = [_picture(cell) for cell in cells]
            shown = [f"{number}   {label}" for number, label in enumerate(labels, start=1)]
            at = ", ".join(f"{name} {format_duration(moment)}" for name, moment in moments.items())
            whole = contact_sheet(pictures, columns=options.grid[0], labels=shown, title=f"{title}   {at}")
            write_png(picture, whole)
        mosaic = folder.path / "mosaic.mp4" if options.mosaic else None
        if mosaic is not None and not mosaic.is_file():
            interruptible(
                lambda: write_mosaic(
                    mosaic, cells, facts, list(moments.values()), columns=options.grid[0], work=folder.work
                )
            )
        folder.clear_work()
        write_json(
            folder.manifest,
            {
                "kind": "sheet",
                "synesthete": __version__,
                "song": str(facts.path.absolute()),
                "song_sha256": facts.digest,
                "title": title,
                "grid": list(options.grid),
                "moments": dict(moments),
                "labels": list(labels),
            },
        )
        ratings = Ratings.read(folder.path)
        if options.rate:
            ratings = ratings.rated(dict(options.rate))
            ratings.write(folder.path)
        gallery = folder.path / "gallery.html"
        if options.html:
            nets = [look.preset.cppn.net for look in looks if look.preset.generator == "cppn"]
            sizes = [(net.layers, net.units) for net in nets]
            write_gallery(gallery, title, labels, cells, moments, options.grid[0], ratings, sizes)
        for number, path in options.save:
            write_preset(path, looks[number - 1].preset, named=False)
    sheet = Sheet(
        folder=folder.path,
        picture=picture,
        mosaic=mosaic,
        gallery=gallery if options.html else None,
        labels=labels,
        saved=tuple(path for _, path in options.save),
    )
    on_event({"event": "done", "sheet": str(picture), "seconds": round(time.perf_counter() - started, 3)})
    return sheet


def _picture(cell: CellFiles) -> np.ndarray:
    with Image.open(cell.picture) as picture:
        return np.asarray(picture.convert("RGB"))


def _generator(options: ExploreOptions) -> GeneratorName:
    if options.preset is None:
        return options.generator or "program"
    named = load_preset(options.preset).generator
    if options.generator is not None and options.generator != named:
        raise ConfigError(
            f"preset {options.preset} is for the generator {named}, not {options.generator}; drop --generator"
        )
    return named


def _heard(song: Path, options: SheetOptions) -> tuple[Timeline, SongFacts]:
    return hear(song, start=None, end=None, allow_truncated=False, workspace=options.workspace)


def _check_saves(options: SheetOptions, song: Path) -> None:
    for _, path in options.save:
        check_output(path, song, example="my-look.yaml", because="presets are YAML", option="--save")
        if path.exists():
            raise OutputError(f"--save {path} is there already; choose another name, or remove it")


def _meta(folder: Path, given: Path) -> dict[str, Any]:
    try:
        meta = json.loads((folder / "meta.json").read_text())
        if meta["kind"] == "sheet" and Path(meta["song"]).name and list(meta["labels"]):
            return dict(meta)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise InputError(f"{given} is no sheet; name the folder that synesthete explore printed")
