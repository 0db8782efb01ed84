"""The page of the presets: one thumbnail and one line each, by world, and a sheet per world on four songs."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from synesthete.audio.moments import telling_moments
from synesthete.config.preset import Preset, load_preset, shipped_presets
from synesthete.config.render import RenderOptions
from synesthete.generators.base import Size
from synesthete.generators.build import build_generator, score_preset
from synesthete.generators.fuse import Fuser
from synesthete.generators.program import program_of
from synesthete.generators.quantise import Quantiser
from synesthete.media.images import contact_sheet
from synesthete.render.explore.looks import seeded_looks
from synesthete.render.listen import hear

__all__ = ["draw_presets", "pictures_at", "presets_page", "sampled_sheet", "six_best"]

RATE = Fraction(30)
THUMBNAIL, CELL, SAMPLED, RIVAL = Size(256, 144), Size(160, 90), Size(240, 136), Size(234, 132)
SHOWN = ("build", "drop", "return")
BEST = ("medusa", "tempest", "nebula", "sapphire", "amoeba", "silk")
BEST_MOMENTS = (2.0, 6.0, 10.0, 14.0, 18.0, 22.0)
"""Those of the sheets of rival films that they are judged beside."""
COLUMNS_OF_SAMPLED = 8


_RIVALS = """
## Beside the rivals

Six of ours at 2, 6, 10, 14, 18 and 22 s, the moments at which we looked at 18 films of MilkDrop presets
(projectM and butterchurn) and six of FFmpeg's scopes. Their pictures are not ours to show; their figures are,
by the measures of `synesthete evaluate`.

![six of our presets at six moments](images/six-best.jpg)

| | MilkDrop, 18 films | FFmpeg's scopes, 6 | ours |
|---|---|---|---|
| contrast (deviation of luma) | 0.05-0.22, median 0.14 | 0.06-0.36 | 0.04-0.26, median 0.12 |
| saturation of what is seen | 0.10-0.91, median 0.56 | 0-0.80 | 0.35-0.93, median 0.73 |
| dark share | 0.00-0.95, median 0.20 | 0.03-0.98 | 0.05-0.95, median 0.64 |
| clipped share | up to 0.29 | up to 0.27 | up to 0.07 |
| sync with techno, beyond other songs | at most 0.19, most at chance | 0.6-0.7 | 0.2-0.8 |
| beyond three flashes a second | 3 of 12 presets | | none |

Ours here are 2,000 sampled programs on six tracks (`benchmarks/random_programs.py`), the 1st to the 99th of
a hundred; sync and flashes are those of the presets (`benchmarks/presets.py`). All are finite and
in range, 99.0 % follow their track (effect above 0, p < 0.05 against other songs; median effect 0.66), the
most that any moves in silence is 0.08 of its motion in sound, and 0.8 % flash too often for a film, which
flash safety then limits. Their looks on techno (OKLab thumbnails, Gaussian kernel) are as many as 19.6
different ones; the eight classics' are 5.2.
"""


def worlds() -> dict[str, list[str]]:
    """Give the presets by world, in the order of the worlds' names."""
    found: dict[str, list[str]] = {}
    for name in shipped_presets():
        found.setdefault(load_preset(name).world, []).append(name)
    return dict(sorted(found.items()))


def pictures_at(
    preset: Preset, song: Path, size: Size, workspace: Path, *, moments: Sequence[float] | None = None
) -> list[np.ndarray]:
    """Draw a preset at moments of a song, by default its build, its drop and its return."""
    timeline, _ = hear(song, start=None, end=None, allow_truncated=False, workspace=workspace)
    fuser = Fuser(workspace / "cache" / "kernels", wanted=False)
    generator = build_generator(preset, RenderOptions(device="cpu", workspace=workspace), fuser)
    trajectory = score_preset(preset, generator, timeline, frame_rate=RATE)
    generator.prepare(trajectory, size)
    told = telling_moments(timeline)
    quiet_after = 0.1  # what an onset sets off stands in full a tenth of a second later
    chosen = [told[name] + quiet_after for name in SHOWN] if moments is None else moments
    frames = [min(int(moment * RATE), trajectory.frames - 1) for moment in chosen]
    quantiser = Quantiser(size)
    return [quantiser.rgb8(next(generator.frames(trajectory, f, f + 1, size))).numpy() for f in frames]


def draw_presets(songs: Sequence[Path], workspace: Path, save: Callable[[np.ndarray, str], None]) -> None:
    """Draw the thumbnails, and a sheet for each world."""
    for world, names in worlds().items():
        pictures, labels = [], []
        for name in names:
            preset = load_preset(name)
            save(pictures_at(preset, songs[0], THUMBNAIL, workspace)[2], f"presets/{name}.jpg")
            for song in songs:
                pictures += pictures_at(preset, song, CELL, workspace)
                labels += [name if song == songs[0] else "", *("" for _ in SHOWN[1:])]
        sheet = contact_sheet(pictures, columns=len(SHOWN) * len(songs), labels=labels, title=None)
        save(sheet, f"presets/{_file(world)}.jpg")


def sampled_sheet(song: Path, workspace: Path, count: int = 64) -> np.ndarray:
    """Draw programs that nobody chose: seeds 0 and on, each in a style of its own."""
    pictures = [
        pictures_at(look.preset, song, SAMPLED, workspace)[1]
        for look in seeded_looks("program", None, count, seed=0, style=None)
    ]
    labels = [f"{seed}" for seed in range(count)]
    return contact_sheet(pictures, columns=COLUMNS_OF_SAMPLED, labels=labels, title=None)


def six_best(songs: Sequence[Path], workspace: Path) -> np.ndarray:
    """Draw our six best at the moments of the rivals' sheets, half of them on each of two songs."""
    pictures, labels = [], []
    for number, name in enumerate(BEST):
        song = songs[number % 2]
        pictures += pictures_at(load_preset(name), song, RIVAL, workspace, moments=BEST_MOMENTS)
        labels += [f"{name}, {song.stem}", *(f"{moment:g} s" for moment in BEST_MOMENTS[1:])]
    return contact_sheet(pictures, columns=len(BEST_MOMENTS), labels=labels, title=None)


def presets_page(songs: Sequence[Path]) -> str:
    """List the presets, by world."""
    titles = ", ".join(f"*{song.stem}*" for song in songs)
    text = [
        "# Presets\n\nGenerated by `make docs`. Each row of a sheet is a preset at the build, the drop and\n"
        f"the return of {titles}. `--preset auto` chooses one of the four families by what is heard.\n"
        "What films of presets measure is in [presets-measured.md](presets-measured.md), and for 14 of them\n"
        "on 14 tracks, with the certificates of their films, in [evaluation.md](evaluation.md).\n"
    ]
    for world, names in worlds().items():
        text.append(f"\n## {world.capitalize()}\n\n![{world}](images/presets/{_file(world)}.jpg)\n")
        text.append("| | preset | what it is | how |\n|---|---|---|---|")
        for name in names:
            image = f'<img src="images/presets/{name}.jpg" width="160">'
            text.append(f"| {image} | `{name}` | {load_preset(name).summary} | {_made_of(name)} |")
    text.append(_RIVALS)
    text.append(
        "\n## What nobody chose\n\nThe first 64 programs that `synesthete explore` samples, each in a\n"
        f"style of its own, at the drop of *{songs[0].stem}*.\n\n![64 sampled programs](images/sampled.jpg)"
    )
    return "\n".join(text) + "\n"


def _file(world: str) -> str:
    return "world-" + world.replace(" ", "-")


def _made_of(name: str) -> str:
    preset = load_preset(name)
    if preset.generator == "program":
        nodes = program_of(preset).root.walk()
        return "program: " + ", ".join(dict.fromkeys(node.primitive.name for node in nodes))
    if preset.generator == "gan":
        return f"gan: {preset.gan.anchors} anchors, {preset.gan.move_beats:g} beats from one to the next"
    if preset.generator == "diffusion":
        return f"diffusion: style {preset.diffusion.style_mode}"
    net = preset.cppn.net
    return f"cppn: {net.layers} × {net.units}, gain {net.gain:g}"
