"""``synesthete compose``."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synesthete.cli.render import DebugOption
from synesthete.clock import ANALYSIS_SAMPLE_RATE, format_duration
from synesthete.config.base import build
from synesthete.config.compose import ComposeOptions
from synesthete.errors import OutputError
from synesthete.files import make_folder, write_whole, writing_to

if TYPE_CHECKING:
    from synesthete.audio.compose import Truth

__all__ = ["compose"]


def _option(field: str, **settings: Any) -> Any:
    return typer.Option(help=ComposeOptions.model_fields[field].description, **settings)


def compose(
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Sound file, .wav or .flac; its truth comes beside it, as .json.",
        ),
    ] = Path("song.wav"),
    seconds: Annotated[float, _option("seconds")] = 60.0,
    seed: Annotated[int, _option("seed")] = 0,
    index: Annotated[int, _option("index")] = 0,
    genre: Annotated[str | None, _option("genre")] = None,
    tempo: Annotated[float | None, _option("tempo")] = None,
    metre: Annotated[int | None, _option("metre")] = None,
    key: Annotated[str | None, _option("key")] = None,
    silence: Annotated[float, _option("silence")] = 0.0,
    stems: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write each stem to this folder as well.")
    ] = None,
    midi: Annotated[Path | None, typer.Option(metavar="FILE.mid", help="Write the score as MIDI.")] = None,
    soundfont: Annotated[Path | None, _option("soundfont", metavar="FILE.sf2")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    debug: DebugOption = False,
) -> None:
    """Compose a song, with its beats, sections and notes as JSON."""
    options = build(
        ComposeOptions,
        {
            "seconds": seconds, "seed": seed, "index": index, "genre": genre, "tempo": tempo, "metre": metre,
            "key": key, "silence": silence, "soundfont": soundfont,
        },
        where="options",
    )  # fmt: skip
    from synesthete.audio.compose import compose as run
    from synesthete.audio.compose.general_midi import optional_module, write_midi
    from synesthete.audio.compose.soundfont import Soundfont
    from synesthete.media.sound_file import SOUND_SUFFIXES, write_sound

    _check(output, SOUND_SUFFIXES, "output", "songs are WAV or FLAC")
    truth_file = output.with_suffix(".json")
    _check(truth_file, (".json",), "the truth", "it is JSON")
    if midi is not None:
        _check(midi, (".mid", ".midi"), "--midi", "scores are MIDI")
        optional_module("pretty_midi", 'pip install "synesthete[soundfont]"')
    if stems is not None:
        make_folder(stems)
    song = run(
        options.seed,
        options.index,
        seconds=options.seconds,
        silence_mix_prob=options.silence,
        genre=options.genre,
        tempo=options.tempo,
        metre=options.metre,
        key=options.key,
        keep_stems=stems is not None,
        soundfont=None if options.soundfont is None else Soundfont(options.soundfont),
    )
    write_sound(output, song.sound, ANALYSIS_SAMPLE_RATE)
    for name, sound in (song.stems or {}).items():
        assert stems is not None
        write_sound(stems / f"{name}{output.suffix.lower()}", sound, ANALYSIS_SAMPLE_RATE)
    if midi is not None:
        write_midi(midi, song.truth)
    write_whole(truth_file, _readable(song.truth))
    if as_json:
        facts = {key: value for key, value in song.truth.to_json().items() if not key.startswith("note")}
        print(json.dumps({"output": str(output), "truth": str(truth_file), **facts}), flush=True)
        return
    for name, value in _summary(song.truth):
        typer.echo(f"{name:9} {value}")
    for name, target in (("sound", output), ("truth", truth_file), ("stems", stems), ("score", midi)):
        if target is not None:
            typer.echo(f"{name:9} {target}")


def _check(target: Path, suffixes: tuple[str, ...], option: str, because: str) -> None:
    """Refuse a place that can't be written before anything is composed."""
    if target.suffix.lower() not in suffixes:
        raise OutputError(f"{option} {target} does not end in {' or '.join(suffixes)}; {because}")
    with writing_to(target):
        if target.is_dir():
            raise OutputError(f"{option} {target} is a folder; name a file in it")
    make_folder(target.absolute().parent)


def _readable(truth: "Truth") -> bytes:
    """Write JSON with a line for every field, section and note."""
    lines = []
    for name, value in truth.to_json().items():
        if name in ("sections", "notes") and value:
            rows = ",\n  ".join(json.dumps(row, allow_nan=False) for row in value)
            lines.append(f'"{name}": [\n  {rows}\n ]')
        else:
            lines.append(f'"{name}": {json.dumps(value, allow_nan=False)}')
    return ("{\n " + ",\n ".join(lines) + "\n}\n").encode()


def _summary(truth: "Truth") -> list[tuple[str, str]]:
    pulse = f"{truth.tempo:g} BPM at the start, {truth.metre} beats to the bar"
    rows = [
        ("genre", truth.genre),
        ("tempo", pulse if truth.pulse else "no pulse"),
        ("key", truth.key),
        ("duration", format_duration(truth.seconds)),
    ]
    for number, part in enumerate(truth.sections):
        rows.append(("" if number else "sections", f"{part.start_s:7.2f} s  {part.name}"))
    rows += [("silence", f"{start:.2f} to {stop:.2f} s") for start, stop in truth.silences]
    return rows
