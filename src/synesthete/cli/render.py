"""``synesthete render`` and ``synesthete profile``."""

import json
import secrets
import shutil
from pathlib import Path
from typing import Annotated, Any

import typer

from synesthete.cli.progress import Progress
from synesthete.config.base import build
from synesthete.config.decoder import Decoder, Provider, Runtime
from synesthete.config.formats import Codec
from synesthete.config.preset import GeneratorName
from synesthete.config.render import (
    Aspect,
    Device,
    EncoderName,
    FlashSafety,
    Kernels,
    PrecisionName,
    RenderOptions,
    Speed,
    Transition,
)
from synesthete.config.titles import Corner, Titles

__all__ = ["profile", "render"]


def _option(field: str, *names: str, **settings: Any) -> Any:
    return typer.Option(*names, help=RenderOptions.model_fields[field].description, **settings)


def _title(field: str, *names: str, **settings: Any) -> Any:
    return typer.Option(*names, help=Titles.model_fields[field].description, **settings)


def _decoder(field: str, *names: str, **settings: Any) -> Any:
    return typer.Option(*names, help=Decoder.model_fields[field].description, **settings)


Song = Annotated[Path, typer.Argument(help="A sound file, or a film with sound.", show_default=False)]
PresetOption = Annotated[str | None, _option("preset", "--preset", "-p")]
GeneratorOption = Annotated[GeneratorName | None, _option("generator")]
MoodOption = Annotated[str | None, _option("mood")]
SeedOption = Annotated[int | None, _option("seed")]
SetOption = Annotated[list[str] | None, _option("set", "--set", metavar="KEY=VALUE")]
ResolutionOption = Annotated[str, _option("resolution", "--resolution", "-r")]
AspectOption = Annotated[Aspect | None, _option("aspect")]
FpsOption = Annotated[str, _option("fps")]
StartOption = Annotated[str | None, _option("start")]
EndOption = Annotated[str | None, _option("end")]
LoopOption = Annotated[str | None, _option("loop", metavar="SECONDS")]
ShutterOption = Annotated[float, _option("shutter", metavar="DEGREES")]
BpmOption = Annotated[float | None, _option("bpm")]
StemsOption = Annotated[Path | None, _option("stems")]
ScenesOption = Annotated[str | None, _option("scenes", metavar="RULE")]
MarkerOption = Annotated[list[str] | None, _option("marker", metavar="TIME")]
ScenePresetOption = Annotated[list[str] | None, _option("scene_preset", metavar="NAME")]
TransitionOption = Annotated[Transition | None, _option("transition")]
LutOption = Annotated[Path | None, _option("lut", metavar="FILE.cube")]
StyleImageOption = Annotated[Path | None, _option("style_image", metavar="PICTURE|FILM@SECONDS")]
LoudnessOption = Annotated[float | None, _option("loudness", metavar="LUFS")]
DeviceOption = Annotated[Device, _option("device")]
PrecisionOption = Annotated[PrecisionName, _option("precision")]
KernelsOption = Annotated[Kernels, _option("kernels")]
TileOption = Annotated[int, _option("tile")]
CodecOption = Annotated[Codec | None, _option("codec")]
BitDepthOption = Annotated[int | None, _option("bit_depth", metavar="8|10")]
EncoderOption = Annotated[EncoderName, _option("encoder")]
CrfOption = Annotated[int | None, _option("crf")]
SpeedOption = Annotated[Speed | None, _option("speed")]
FlashSafetyOption = Annotated[FlashSafety, _option("flash_safety", "--flash-safety")]
WorkersOption = Annotated[int | None, _option("workers", "--workers", "-j")]
WorkspaceOption = Annotated[Path, _option("workspace")]
TruncatedOption = Annotated[bool, _option("allow_truncated", "--allow-truncated")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show the traceback of a failure.")]


def render(
    song: Song,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Copy the film to FILE; its suffix may choose the codec.", metavar="FILE"
        ),
    ] = None,
    preset: PresetOption = None,
    generator: GeneratorOption = None,
    mood: MoodOption = None,
    seed: SeedOption = None,
    set_: SetOption = None,
    resolution: ResolutionOption = "1080p",
    aspect: AspectOption = None,
    fps: FpsOption = "30",
    start: StartOption = None,
    end: EndOption = None,
    loop: LoopOption = None,
    bpm: BpmOption = None,
    stems: StemsOption = None,
    scenes: ScenesOption = None,
    marker: MarkerOption = None,
    scene_preset: ScenePresetOption = None,
    transition: TransitionOption = None,
    lut: LutOption = None,
    style_image: StyleImageOption = None,
    loudness: LoudnessOption = None,
    limiter: Annotated[bool, _option("limiter", "--limiter")] = False,
    title_card: Annotated[bool, _title("card", "--title-card")] = False,
    lower_third: Annotated[bool, _title("lower_third", "--lower-third")] = False,
    title: Annotated[str | None, _title("title", metavar="TEXT")] = None,
    artist: Annotated[str | None, _title("artist", metavar="TEXT")] = None,
    cover_art: Annotated[str, _title("cover_art", metavar="FILE|auto|off")] = "auto",
    watermark: Annotated[str | None, _title("watermark", metavar="FILE|TEXT")] = None,
    watermark_corner: Annotated[Corner, _title("watermark_corner")] = "bottom-right",
    watermark_opacity: Annotated[float, _title("watermark_opacity")] = 0.6,
    fade_in: Annotated[str, _title("fade_in", metavar="SECONDS")] = "0s",
    fade_out: Annotated[str, _title("fade_out", metavar="SECONDS")] = "0s",
    overlay: Annotated[bool, _title("overlay", "--overlay")] = False,
    preview: Annotated[bool, _option("preview", "--preview")] = False,
    shutter: ShutterOption = 0,
    device: DeviceOption = "auto",
    precision: PrecisionOption = "auto",
    kernels: KernelsOption = "auto",
    tile: TileOption = 0,
    runtime: Annotated[Runtime, _decoder("runtime")] = "torch",
    execution_provider: Annotated[Provider, _decoder("execution_provider")] = "auto",
    batch_size: Annotated[int, _decoder("batch_size")] = 32,
    codec: CodecOption = None,
    bit_depth: BitDepthOption = None,
    alpha: Annotated[bool, _option("alpha", "--alpha")] = False,
    hardware: Annotated[bool, _option("hardware", "--hardware")] = False,
    encoder: EncoderOption = "libx264",
    crf: CrfOption = None,
    speed: SpeedOption = None,
    frames: Annotated[Path | None, _option("frames", metavar="DIR")] = None,
    flash_safety: FlashSafetyOption = "limit",
    certificate: Annotated[bool, _option("certificate", "--certificate/--no-certificate")] = True,
    workers: WorkersOption = None,
    workspace: WorkspaceOption = Path(),
    force: Annotated[bool, _option("force", "--force")] = False,
    allow_truncated: TruncatedOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and stop.")] = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Render SONG to a film. Repeating the command resumes it, or recognises what is finished."""
    options = _options(
        preset=preset, generator=generator, mood=mood, seed=seed, set=tuple(set_ or ()),
        resolution=resolution, aspect=aspect, fps=fps, start=start, end=end, bpm=bpm, stems=stems,
        preview=preview, device=device, precision=precision, scenes=scenes, marker=tuple(marker or ()),
        scene_preset=tuple(scene_preset or ()), transition=transition,
        kernels=kernels, tile=tile, encoder=encoder, crf=crf, speed=speed, frames=frames, workers=workers,
        workspace=workspace, force=force, allow_truncated=allow_truncated, certificate=certificate,
        titles={
            "card": title_card, "lower_third": lower_third, "title": title, "artist": artist,
            "cover_art": cover_art, "watermark": watermark, "watermark_corner": watermark_corner,
            "watermark_opacity": watermark_opacity, "fade_in": fade_in, "fade_out": fade_out,
            "overlay": overlay,
        },
        decoder={
            "runtime": runtime, "execution_provider": execution_provider, "batch_size": batch_size,
        },
        loudness=loudness, limiter=limiter, lut=lut, style_image=style_image, flash_safety=flash_safety,
        loop=loop, shutter=shutter, codec=codec, bit_depth=bit_depth, alpha=alpha, hardware=hardware,
    )  # fmt: skip
    from synesthete.render.flash_guard import flash_line
    from synesthete.render.pipeline import make_plan, render_song

    if dry_run:
        plan, _ = make_plan(song, options.in_format(output))
        _print_plan({"event": "plan", **plan.summary()}, as_json=as_json)
        return
    with Progress(json_lines=as_json) as progress:
        film = render_song(song, options, output=output, on_event=progress.on_event)
    if not as_json:
        typer.echo(f"film: {film.film}")
        typer.echo(f"run:  {film.run}")
        if loudness is not None:
            typer.echo(_loudness_line(film.run))
        if (line := flash_line(_flash_facts(film.run))) is not None:
            typer.echo(line)
        for line in film.summary:
            typer.echo(line)


def profile(
    song: Song,
    seconds: Annotated[float, typer.Option(help="How much of the song to render.", min=1, max=600)] = 10,
    preset: PresetOption = None,
    resolution: ResolutionOption = "1080p",
    fps: FpsOption = "30",
    start: StartOption = None,
    device: DeviceOption = "auto",
    kernels: KernelsOption = "auto",
    workers: WorkersOption = None,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Render a stretch of SONG and show where the time goes."""
    from synesthete.clock import parse_timestamp
    from synesthete.media.probe import probe_sound
    from synesthete.render.pipeline import render_song

    first = parse_timestamp(start or 0)
    known = probe_sound(song).duration_s
    last = first + parse_timestamp(seconds)
    end = None if known is None or last >= known else last
    scratch = workspace / "cache" / f"profile-{secrets.token_hex(4)}"
    options = _options(
        preset=preset, resolution=resolution, fps=fps, start=start, end=end, device=device, kernels=kernels,
        workers=workers, workspace=scratch, certificate=False,
    )  # fmt: skip
    try:
        with Progress(json_lines=False) as progress:
            film = render_song(song, options, on_event=progress.on_event)
        manifest = json.loads((film.run / "meta.json").read_text())
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    report = {
        "event": "profile",
        "numerics": manifest["numerics"],
        "frames": film.frames,
        "frames_per_second": round(film.frames / manifest["seconds"]["segments"], 2),
        "seconds": manifest["seconds"],
    }
    if as_json:
        print(json.dumps(report), flush=True)
        return
    typer.echo(f"{film.frames} frames, {report['frames_per_second']} frames/s, {report['numerics']['path']}")
    for stage, value in manifest["seconds"].items():
        note = " (added up over threads)" if stage.startswith("threads.") else ""
        typer.echo(f"  {stage.removeprefix('threads.'):12} {value:8.2f} s{note}")


def _options(**values: Any) -> RenderOptions:
    return build(RenderOptions, values, where="options")


def _loudness_line(run: Path) -> str:
    """Tell what gain was found, and what it reached."""
    gain = json.loads((run / "meta.json").read_text())["sound"]["loudness"]
    if gain["reached_lufs"] is None:
        return "loudness   too soft, or too short, to have any"
    line = f"loudness   {gain['reached_lufs']:.1f} LUFS by {gain['gain_db']:+.1f} dB; "
    line += f"true peak {gain['reached_peak_dbtp']:.1f} dBTP"
    if gain["limited"]:
        return line + ", limited"
    return line + ("; peaks forbid more (--limiter)" if gain["held_back_db"] > 0 else "")


def _flash_facts(run: Path) -> dict[str, Any] | None:
    """Give what is known of flashes in a finished film."""
    facts: dict[str, Any] | None = json.loads((run / "meta.json").read_text()).get("flash_safety")
    return facts


def _print_plan(plan: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(plan), flush=True)
        return
    for name, value in plan.items():
        if name != "event":
            typer.echo(f"{name:12} {value}")
