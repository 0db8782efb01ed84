"""What `dreams.py` measures of sampling: how well by how many steps, in which context, how fast."""

import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import cache, partial
from itertools import product
from typing import NamedTuple

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from dream_songs import RATE, Bench, Figures, Limits, Rows, missed
from synesthete.audio.timeline import Timeline
from synesthete.clock import ANALYSIS_RATE
from synesthete.config.render import default_quality, picture_size
from synesthete.config.vae import HELD_OUT
from synesthete.config.weights import LargeWeights
from synesthete.evaluation.music_changes import excerpt
from synesthete.evaluation.seams import border_gaps
from synesthete.generators.base import Size, Trajectory
from synesthete.generators.blocks import BlockStore
from synesthete.generators.build import build_fuser, build_generator, score_preset
from synesthete.generators.diffusion import DiffusionGenerator
from synesthete.generators.dreamer import BLOCK, CONTEXT
from synesthete.generators.quantise import Quantiser
from synesthete.media.codecs import VideoSettings
from synesthete.media.encode import SegmentWriter
from synesthete.training.drawer import Clip, Drawer, Teacher, load_drawer
from synesthete.training.following import Following, Pair, another_song, spliced_silence
from synesthete.training.throughput import product_rate

FILM_S, MOST_TIMES = 180, 5.0
NEAR = 4
SPEED: Limits = {"film": (0.0, MOST_TIMES)}


def stretch(bench: Bench, blocks: int) -> Timeline:
    """Cut out of the middle of the song as much music as there is in so many blocks."""
    timeline = bench.hear(bench.song)
    ticks = int(ANALYSIS_RATE * Fraction(BLOCK * blocks - 1) / bench.latent_rate)
    if ticks > timeline.ticks:
        raise SystemExit(f"dreams.py: {bench.song.name} is too short; {ticks / ANALYSIS_RATE:g} s are needed")
    first = (timeline.ticks - ticks) // 2
    return excerpt(timeline, first, first + ticks)


def planned(
    bench: Bench, timeline: Timeline, *, rate: Fraction, precision: str = "float32", kernels: str = "eager"
) -> tuple[DiffusionGenerator, Trajectory]:
    """Build the preset's generator, and plan a song."""
    changes = {"precision": precision, "kernels": kernels, "resolution": bench.given.resolution}
    options = bench.options.model_copy(update=changes)
    fuser = build_fuser(options, bench.preset.generator, film_size(bench), int(FILM_S * RATE))
    generator = build_generator(bench.preset, options, fuser)
    assert isinstance(generator, DiffusionGenerator)
    return generator, score_preset(bench.preset, generator, timeline, frame_rate=rate)


def film_size(bench: Bench) -> Size:
    return Size(*picture_size(bench.given.resolution, None))


# Steps and guidance ---------------------------------------------------------------------------------------


class Taught(NamedTuple):
    """A held-out clip and its changes as the program draws them, and its style."""

    number: int
    clips: dict[str, Clip]
    style: torch.Tensor


def sampling(bench: Bench) -> Rows:
    """Draw held-out clips by all steps, guidances and rescales; at guidance 1 nothing is rescaled."""
    given, look = bench.given, bench.preset.diffusion
    files = {"weights": look.weights, "vae": look.vae}
    drawer = load_drawer(
        **{name: file.place for name, file in files.items() if isinstance(file, LargeWeights)},
        seed=given.seed, style_guidance=look.style_guidance_scale,
    )  # fmt: skip

    @cache
    def taught() -> list[Taught]:
        teacher = Teacher(drawer.data, seed=given.seed)
        found = []
        for place, program in enumerate(HELD_OUT[: given.clips]):
            plan = teacher.plan(place, program)
            changed = {"other": another_song(plan), "silence": spliced_silence(teacher, plan)}
            clips = {"own": teacher.clip(plan)}
            clips |= {name: teacher.clip(*change) for name, change in changed.items()}
            found.append(Taught(plan.number, clips, drawer.read_style(teacher.shown(plan))))
        return found

    for steps, audio, rescale in product(given.steps, given.guidance, given.rescale):
        if audio != 1.0 or rescale == min(given.rescale):
            name = f"{steps} steps, guidance {audio:g}, rescale {rescale:g}"
            yield name, partial(measure_sampling, drawer, taught, steps, audio, rescale)


def measure_sampling(
    base: Drawer, taught: Callable[[], list[Taught]], steps: int, audio: float, rescale: float
) -> Figures:
    sampling = base.sampling.model_copy(update={"steps": steps, "audio_guidance": audio})
    drawer = Drawer(
        base.model, base.vae, data=base.data, conditions=base.conditions, sampling=sampling,
        seed=base.seed, rescale=rescale,
    )  # fmt: skip
    following = Following()
    for number, clips, style in taught():
        rows, count = [clip.rows for clip in clips.values()], len(clips)
        drawn = drawer.draw(rows, style.expand(count, -1), [number] * count)
        pairs = {name: Pair(clip.frames, own) for (name, clip), own in zip(clips.items(), drawn, strict=True)}
        following.add(pairs, clips["own"].silence)
    return {**following.figures(), "seconds_per_clip": drawer.seconds / drawer.drawn}


# Context --------------------------------------------------------------------------------------------------


def context(bench: Bench) -> Rows:
    """Sample some blocks in every context, and compare them with one long window."""
    for frames in bench.given.contexts:
        name = f"{frames} frames" + (", as films have" if frames == CONTEXT else "")
        yield name, partial(measure_context, bench, frames)


def measure_context(bench: Bench, frames: int) -> Figures:
    generator, trajectory = planned(bench, stretch(bench, bench.given.window_blocks), rate=bench.latent_rate)
    count = len(trajectory.tables["style"])
    model = bench.networks.model
    pieces, whole = (
        model.scaled(torch.from_numpy(dreamer.latents(trajectory, np.arange(count)))).numpy()
        for dreamer in (
            replace(generator.dreamer, context=frames), replace(generator.dreamer, block=count)
        )
    )  # fmt: skip
    gaps = border_gaps(pieces, whole, range(BLOCK, count, BLOCK), reach=NEAR)
    return {"near": gaps.near, "elsewhere": gaps.elsewhere, "cost": 1 + 2 * frames / BLOCK}


# Speed ----------------------------------------------------------------------------------------------------


def speed(bench: Bench) -> Rows:
    """Time one thread: a block, with all that is sampled beside it, and pictures of the film's size."""
    for precision in ("float32", "bfloat16"):
        yield precision, partial(measure_speed, bench, precision)


def measure_speed(bench: Bench, precision: str) -> Figures:
    dtype, size = getattr(torch, precision), film_size(bench)
    generator, trajectory = planned(
        bench, stretch(bench, 3), rate=RATE, precision=precision, kernels=bench.given.kernels
    )
    path = generator.prepare(trajectory, size)
    device = generator.dreamer.device
    dreamer = generator.dreamer.with_dtype(dtype)

    def sample() -> None:
        replace(dreamer, store=BlockStore()).latents(trajectory, np.array([BLOCK]))

    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        sample()  # also warms up; the fused attention of CPUs is not counted
    operations = counter.get_total_flops() / BLOCK
    each = min(seconds(sample, device) for _ in range(bench.given.tries)) / BLOCK
    frames = bench.given.frames
    generator.dreamer = replace(dreamer, store=BlockStore())
    # From the middle of a block on, where all latents are of one.
    first = round((BLOCK + BLOCK // 2) / bench.latent_rate * RATE)
    pictures = [one.clone() for one in generator.frames(trajectory, first, first + 2, size)]

    def draw() -> None:
        for _ in generator.frames(trajectory, first, first + frames, size):
            pass

    drawing = seconds(draw, device) / frames
    encoding = seconds(partial(encode, bench, pictures, frames), torch.device("cpu")) / frames
    of_film = float(bench.latent_rate) * each + float(RATE) * (drawing + encoding)
    figures: Figures = {
        "path": path,
        "ms_per_latent": 1e3 * each,
        "gflop_per_latent": operations / 1e9,
        "gflops": operations / each / 1e9,
        "share": operations / each / product_rate(device, dtype, clock=clock_of(device)),
        "drawn_per_s": 1 / drawing,
        "encoded_per_s": 1 / encoding,
        "film": of_film / bench.given.cores,
        "film_s": FILM_S * of_film / bench.given.cores,
    }
    return {**figures, "misses": missed(figures, SPEED)}


def clock_of(device: torch.device) -> Callable[[], float]:
    """Take the processor's time, so that other processes count little; of a GPU that of the wall."""
    return time.process_time if device.type == "cpu" else time.perf_counter


def seconds(action: Callable[[], None], device: torch.device) -> float:
    """Time an action."""
    clock = clock_of(device)
    started = clock()
    action()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return clock() - started


def encode(bench: Bench, pictures: list[torch.Tensor], frames: int) -> None:
    """Quantise and encode pictures in turn, as a film of their size is."""
    size = film_size(bench)
    crf, effort = default_quality(size.short)
    quantiser = Quantiser(size)
    writer = SegmentWriter(
        bench.work / "encoded.mp4", width=size.width, height=size.height, frame_rate=RATE,
        settings=VideoSettings(crf=crf, speed=effort),
    )  # fmt: skip
    with writer:
        for frame in range(frames):
            writer.write(quantiser.yuv420(pictures[frame % len(pictures)].cpu()).numpy())
