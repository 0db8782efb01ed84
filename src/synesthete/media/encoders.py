"""Set FFmpeg's encoders up, so that segments stand alone and the same frames give the same bytes."""

import functools
import os
from fractions import Fraction
from typing import Final, get_args

from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext

from synesthete.media.codecs import Speed, VideoSettings

__all__ = ["configure"]

_BT709 = 1  # the code for BT.709 in the tables of primaries, transfer and matrix (ITU-T H.273)
_LIMITED_RANGE = 1  # FFmpeg's AVCOL_RANGE_MPEG, "tv": Y 16-235, U and V 16-240

_HARDWARE: Final = ("nvenc", "videotoolbox", "qsv", "amf")

_X265_BLOCK: Final = 64  # pixels

# By speed, ultrafast to veryslow.
_SVT_PRESETS: Final = (8, 8, 8, 7, 7, 6, 5, 4, 3)  # from 9 on, colours that change at once come out wrong
_VPX_CPU_USED: Final = (8, 7, 6, 5, 4, 3, 2, 1, 0)


def configure(
    context: VideoCodecContext, width: int, height: int, frame_rate: Fraction, settings: VideoSettings
) -> None:
    """Prepare an encoder that has not been opened yet."""
    pixels = settings.pixels
    context.width, context.height = width, height
    context.pix_fmt = _pixel_format(settings)
    context.framerate, context.time_base = frame_rate, 1 / frame_rate
    context.gop_size = max(1, round(settings.keyframe_seconds * frame_rate))
    context.flags |= Flags.closed_gop | Flags.bitexact | Flags.global_header
    context.thread_count = settings.threads
    # PyAV's default, SLICE, would cut each picture into one slice per thread.
    context.thread_type = "FRAME"
    if pixels.chroma != "rgb":
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = _LIMITED_RANGE
    if _maker(settings.encoder):
        # Drivers differ in how they declare reordering; without it, segments join the same everywhere.
        context.max_b_frames = 0
    if settings.coding.tag:
        context.codec_tag = settings.coding.tag
    if settings.encoder == "libsvtav1":
        os.environ.setdefault("SVT_LOG", "1")  # errors alone; it would print its settings for every Segment
    context.options = _options(settings, width)


def _maker(encoder: str) -> str | None:
    name = encoder.rpartition("_")[2]
    return name if name in _HARDWARE else None


def _pixel_format(settings: VideoSettings) -> str:
    maker = _maker(settings.encoder)
    if maker and settings.bit_depth == 10:
        return "p010le"
    if maker == "qsv":
        return "nv12"
    if settings.encoder == "ffv1":
        return "bgra" if settings.alpha else "bgr0"
    return settings.pixels.name


def _options(settings: VideoSettings, width: int) -> dict[str, str]:
    crf = str(settings.crf)
    pace = get_args(Speed).index(settings.speed)
    match _maker(settings.encoder) or settings.encoder:
        case "nvenc":
            return {"preset": f"p{min(pace, 6) + 1}", "rc": "vbr", "cq": crf, "b": "0", "forced-idr": "1"}
        case "qsv":
            return {"preset": settings.speed if pace >= 2 else "veryfast", "global_quality": crf}
        case "amf":
            quality = ("speed", "balanced", "quality")[pace // 3]
            return {"quality": quality, "rc": "cqp", "qp_i": crf, "qp_p": crf}
        case "videotoolbox":
            # Its scale is 1 (worst) to 100, times 118 (FFmpeg's lambda unit); crf 18 becomes 65.
            return {"flags": "+qscale", "global_quality": str(118 * max(1, min(100, 101 - 2 * settings.crf)))}
        case "libx265":
            # Without pools and frame threads the bytes don't depend on the machine's cores; the encoder's
            # own words would make the headers of segments differ.
            fixed = f"pools=none:frame-threads={settings.threads}:open-gop=0:info=0:log-level=none"
            if width <= _X265_BLOCK:
                # With one column of blocks, every run came out differently (5 of 5 at 64×64).
                fixed += ":ctu=32"
            return {"crf": crf, "preset": settings.speed, "x265-params": fixed}
        case "libsvtav1":
            # More than one level of parallelism has been seen to change the bytes (SVT-AV1-PSY issue 124).
            return {"crf": crf, "preset": str(_SVT_PRESETS[pace]), "svtav1-params": "lp=1"}
        case "libvpx-vp9":
            # "b" 0 makes crf a quality and not a ceiling; the alpha plane wants no hidden frames.
            options = {"crf": crf, "b": "0", "deadline": "good", "cpu-used": str(min(_VPX_CPU_USED[pace], 5))}
            if pace < 3:  # "good" has no speeds beyond 5
                options |= {"deadline": "realtime", "cpu-used": str(_VPX_CPU_USED[pace])}
            return options | ({"auto-alt-ref": "0"} if settings.alpha else {})
        case "prores_ks":
            profile = "hq" if settings.codec == "prores422" else "4444"
            return {"profile": profile, "vendor": "apl0", "alpha_bits": "16" if settings.alpha else "0"}
        case "ffv1":
            return {"level": "3", "slices": "4", "context": "0"}
        case _:
            return {"crf": crf, "preset": settings.speed, **_without_avx512()}


@functools.cache
def _without_avx512() -> dict[str, str]:
    """Keep x264 from its AVX-512 code, which makes the bytes differ from run to run.

    Its macroblock tree reads memory it never set: of 20 runs on Zen 5, 64×48 gave 17 different files,
    240×136 and 720×406 several too. AVX2 gave one at every size, and is as fast at 1080p (31 frames/s).
    """
    try:
        from numpy._core._multiarray_umath import (  # type: ignore[import-not-found]
            __cpu_features__ as features,
        )
    except ImportError:
        # A NumPy that hides what the processor can do: do without the macroblock tree.
        return {"x264-params": "mbtree=0"}
    # Naming AVX2 forces it on, so it must be there; every processor with AVX-512 has it.
    return {"x264-params": "asm=avx2"} if features.get("AVX512F") and features.get("AVX2") else {}
