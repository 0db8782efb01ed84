"""Measure a preset of the model that listens: whole songs, drift, seams, how to sample, and what it costs.

``songs``
    Every song of a folder, at 30 frames a second: the certificate's figures of its middle; silence from four
    seconds that are spliced in; saturation, contrast and flicker over those of named programs on the same
    music; the shuffle gap of ``evaluate-generator``.
``drift``
    A minute of music again and again: the last minute's look over the first's.
``seams``
    Of that film, changes across borders of blocks against those elsewhere: a permutation test on ranks.
``sampling``
    Held-out clips by steps, guidance and rescale, beside the programs' own, as ``evaluate-diffusion`` does.
``context``
    How far blocks are from one long window, by the frames that are sampled around them.
``speed``
    One thread: a latent frame, a picture, a whole film; operations, as a share of a matrix product's rate.

Films and blocks are kept in the workspace, results in the log: the same command goes on where it was stopped.
What is beyond a limit is marked with ``!``, and the exit status is 1.

Usage: ``python benchmarks/dreams.py [--preset dream] [--music FOLDER] [--parts A,B] [--workspace FOLDER]
[--log FILE] [--page FILE]``; ``--help`` tells of the rest
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from textwrap import wrap
from typing import Any, NamedTuple

import torch

from dream_sampling import MOST_TIMES, NEAR, context, sampling, speed
from dream_songs import SILENCE_S, Bench, Rows, drift, seams, songs
from synesthete.config.preset import load_preset
from synesthete.evaluation.verdicts import shown, value_at
from synesthete.files import digest_json, write_whole
from synesthete.generators.dreamer import BLOCK

TEACHERS = "borealis,coral,lava,marble,nebula,spectrum"

Results = Mapping[str, Mapping[str, Any]]
"""Figures by the names of rows."""


class Column(NamedTuple):
    """A column of a table: its head, where its figure stands, and how it is written."""

    head: str
    key: str
    form: str = ".2f"


class Part(NamedTuple):
    """A table: what it says, of what, and the arguments that its figures depend on."""

    title: str
    says: str
    columns: tuple[Column, ...]
    asks: tuple[str, ...]
    rows: Callable[[Bench], Rows]


PARTS = {
    "songs": Part(
        "Songs",
        "The middle of each song. **effect**: share of the picture's dynamics that the music explains beyond "
        "what other songs do, and **p** how often these do as well; **lag** in milliseconds, positive where "
        f"the picture is late; **silence**: motion in {SILENCE_S} s of spliced silence, over that in music; "
        "**loudness**: rank correlation of loudness and motion, second by second; **shuffle**: how much "
        "frames change when the music's rows are permuted. **saturation**, **contrast** and **flicker** (off "
        "onsets) are over the mean of programs on the same music; **flashes**: the most in any second, and "
        "whether they are safe.",
        (
            Column("effect", "sync.effect", "+.2f"),
            Column("p", "sync.p", ".3f"),
            Column("lag", "sync.lag_ms", "+.0f"),
            Column("silence", "silence.motion_ratio", ".3f"),
            Column("loudness", "response.loudness_to_motion", "+.2f"),
            Column("shuffle", "shuffle"),
            Column("saturation", "ratios.saturation"),
            Column("contrast", "ratios.contrast"),
            Column("flicker", "ratios.flicker"),
            Column("flashes", "safety.worst_per_second", "d"),
            Column("safe", "safety.pass"),
        ),
        ("seconds", "teachers"),
        songs,
    ),
    "drift": Part(
        "Drift",
        "A minute of music again and again, so that minutes differ in nothing but their place. **between**: "
        "how far at most a minute between the first and the last is from the first.",
        (
            Column("first", "first", ".4f"),
            Column("last", "last", ".4f"),
            Column("last / first", "ratio", ".3f"),
            Column("between", "between", ".1%"),
        ),
        ("minute", "minutes", "song"),
        drift,
    ),
    "seams": Part(
        "Seams",
        f"Changes from one latent frame to the next in that film, across borders of blocks of {BLOCK}, "
        "ranked among those around them; what the music explains is taken out first. **rank** is 0.5 where "
        "borders are steps like others; **jump**: median change at a border over those around it; **p**: of "
        "a permutation test with two sides. The middles of blocks can have no seams: a control.",
        (
            Column("borders", "borders", "d"),
            Column("rank", "rank", ".3f"),
            Column("jump", "jump", ".3f"),
            Column("p", "p", ".4f"),
        ),
        ("minute", "minutes", "song"),
        seams,
    ),
    "sampling": Part(
        "Steps and guidance",
        "Clips of programs that were never trained on, as by `synesthete evaluate-diffusion`. "
        "**brightness**: correlation with the program's, over all frames and within clips; **shuffle**: what "
        "another song changes, over what it changes in the program's own pictures; **contrast**, "
        "**saturation** and **motion** over the programs'; **silence**: motion in spliced silence, over that "
        "in loud music.",
        (
            Column("brightness", "brightness.r", "+.3f"),
            Column("within", "brightness.within_r", "+.3f"),
            Column("shuffle", "shuffle.of_teacher"),
            Column("contrast", "look.contrast"),
            Column("saturation", "look.saturation"),
            Column("motion", "look.motion"),
            Column("silence", "silence.model", ".3f"),
            Column("s a clip", "seconds_per_clip"),
        ),
        ("clips", "seed"),
        sampling,
    ),
    "context": Part(
        "Context",
        f"Latents that are sampled in blocks of {BLOCK}, in float32, against the same in one long window: "
        f"relative L2 of scaled latents, over the {2 * NEAR} frames around each border and over the others, "
        "by how many frames are sampled with a block on either side. **cost**: frames sampled, over those "
        "kept.",
        (
            Column("at borders", "near", ".4f"),
            Column("elsewhere", "elsewhere", ".4f"),
            Column("cost", "cost"),
        ),
        ("window_blocks", "song"),
        context,
    ),
    "speed": Part(
        "Speed",
        "One thread, processor time, matrix products in this type. **latent**: ms for a latent frame, with "
        "all that is sampled beside it; **share** of the rate of a matrix product; **drawn**, **encoded**: "
        "frames a second at the film's size, the latter with their quantising; **film**: that together, over "
        f"real time, on so many cores (at most {MOST_TIMES:g}), and what 3 minutes take, s.",
        (
            Column("latent", "ms_per_latent", ".1f"),
            Column("GFLOP", "gflop_per_latent", ".1f"),
            Column("GFLOP/s", "gflops", ".0f"),
            Column("share", "share"),
            Column("drawn", "drawn_per_s", ".1f"),
            Column("encoded", "encoded_per_s", ".1f"),
            Column("film", "film"),
            Column("3 min", "film_s", ".0f"),
            Column("path", "path"),
        ),
        ("resolution", "frames", "tries", "kernels", "cores", "device"),
        speed,
    ),
}


def cell(figures: Mapping[str, Any], column: Column) -> str:
    value = value_at(figures, column.key)
    if isinstance(value, bool):
        value = "yes" if value else "no"
    text = value if isinstance(value, str) else shown(value, column.form)
    return text + "!" * (column.key in figures.get("misses", ()))


def table(part: Part, results: Results) -> Iterator[list[str]]:
    """Give the head and the rows, as text."""
    yield ["", *(column.head for column in part.columns)]
    for name, figures in results.items():
        yield [name, *(cell(figures, column) for column in part.columns)]


def report(found: Mapping[str, Results]) -> None:
    for name, results in found.items():
        rows = list(table(PARTS[name], results))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        print(f"\n{PARTS[name].title}")
        for first, *rest in rows:
            cells = (text.rjust(width) for text, width in zip(rest, widths[1:], strict=True))
            print("  ".join([first.ljust(widths[0]), *cells]))


def page(found: Mapping[str, Results], bench: Bench) -> str:
    """Write the tables as Markdown."""
    lines = [
        f"# What the preset `{bench.preset.name}` measures",
        "",
        "Written by `benchmarks/dreams.py --page`. What is beyond its limit is marked with `!`.",
    ]
    for name, results in found.items():
        head, *rows = table(PARTS[name], results)
        own = ", ".join(f"`--{ask} {text}`" for ask, text in settings(bench, PARTS[name]).items())
        lines += ["", f"## {PARTS[name].title}", "", *wrap(f"{PARTS[name].says} With {own}.", 105), ""]
        lines += [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
        lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def settings(bench: Bench, part: Part) -> dict[str, str]:
    """Give the arguments of a part as text; of a file its name."""
    values = {ask: bench.song.name if ask == "song" else getattr(bench.given, ask) for ask in part.asks}
    return {
        ask.replace("_", "-"): ",".join(value) if isinstance(value, list) else str(value)
        for ask, value in values.items()
    }


def measure(bench: Bench, parts: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Measure what the log does not have, and keep it there."""
    log, known = bench.given.log, {}
    if log and log.is_file():
        for line in log.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            known[record["part"], record["of"], record["row"]] = record["figures"]
    found: dict[str, dict[str, Any]] = {}
    preset = bench.preset.model_dump(mode="json")
    for name in parts:
        of = digest_json([preset, bench.networks.digests, settings(bench, PARTS[name])])
        found[name] = {}
        for row, work in PARTS[name].rows(bench):
            if (name, of, row) not in known:
                print(f"{name}: {row}", file=sys.stderr, flush=True)
                known[name, of, row] = work()
                if log:
                    record = {"part": name, "of": of, "row": row, "figures": known[name, of, row]}
                    with log.open("a", encoding="utf-8") as handle:
                        handle.write(json.dumps(record) + "\n")
            found[name][row] = known[name, of, row]
    return found


@contextmanager
def workspace(given: Path | None) -> Iterator[Path]:
    """Give the folder that is named, or one that is removed again."""
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="bench-", dir=Path.cwd()) as folder:
        yield Path(folder)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )

    def several(kind: Callable[[str], Any]) -> Callable[[str], list[Any]]:
        return lambda text: [kind(one) for one in text.split(",")]

    parser.add_argument("--preset", default="dream", help="its name, or a file")
    parser.add_argument("--music", type=Path, help="a folder of songs")
    parser.add_argument("--parts", type=several(str), default=list(PARTS))
    parser.add_argument("--workspace", type=Path, help="keep here what is made on the way")
    parser.add_argument("--log", type=Path, help="keep the results here, and go on from them")
    parser.add_argument("--page", type=Path, help="write the tables as Markdown")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--seconds", type=int, default=60, help="songs: how much of each")
    parser.add_argument(
        "--teachers", type=several(str), default=several(str)(TEACHERS), help="songs: presets"
    )
    parser.add_argument(
        "--song", type=Path, help="all else: one song (default: techno of --music, or composed)"
    )
    parser.add_argument("--minutes", type=int, default=5, help="drift, seams: how often the minute is played")
    parser.add_argument("--minute", type=float, default=60.0, help="drift, seams: its length, s")
    parser.add_argument("--clips", type=int, default=16, help="sampling: of how many programs, each thrice")
    parser.add_argument("--seed", type=int, default=13, help="sampling: of their music")
    parser.add_argument("--steps", type=several(int), default=[2, 4, 8, 16, 32])
    parser.add_argument("--guidance", type=several(float), default=[1.0, 1.5, 2.0, 3.0])
    parser.add_argument("--rescale", type=several(float), default=[0.0, 0.5])
    parser.add_argument("--contexts", type=several(int), default=[0, 4, 8, 16, 32])
    parser.add_argument("--window-blocks", type=int, default=4, help="context: blocks of the long window")
    parser.add_argument("--resolution", default="1080p", help="speed: of the film")
    parser.add_argument("--frames", type=int, default=8, help="speed: pictures that are timed")
    parser.add_argument("--tries", type=int, default=2, help="speed: blocks of which the fastest counts")
    parser.add_argument("--kernels", default="auto", choices=("auto", "fused", "eager"))
    parser.add_argument("--cores", type=int, default=2, help="speed: of the machine that draws the film")
    given = parser.parse_args()
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    torch.set_num_threads(1)
    preset = load_preset(given.preset)
    if preset.generator != "diffusion":
        parser.error(
            f"the preset {preset.name} is for the generator {preset.generator}; name one of diffusion"
        )
    with workspace(given.workspace) as folder:
        bench = Bench(given, preset, folder)
        found = measure(bench, given.parts)
        report(found)
        if given.page:
            write_whole(given.page, page(found, bench).encode())
    return int(any(figures.get("misses") for results in found.values() for figures in results.values()))


if __name__ == "__main__":
    sys.exit(main())
