"""How far the picture moves from frame to frame: dense optical flow, as AV-Align takes it."""

import os
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from types import ModuleType
from typing import Final

import numpy as np
from jaxtyping import Float32, UInt8

from synesthete.errors import ConfigError
from synesthete.generators.base import Size

__all__ = ["FLOW_SHORT", "flow_magnitude"]

FLOW_SHORT: Final = 256
"""Short side of the luma picture on which flow is measured, pixels; smaller films are taken as they are."""

# ITU-R BT.709-6, limited range, to 0..255. The method damps flow by a fixed amount in shallow pictures, so
# grey levels must be as steep as they are to TempoTokens.
_FULL_RANGE: Final = np.clip(np.round((np.arange(256) - 16) * (255 / 219)), 0, 255).astype(np.uint8)

_PYRAMID_SCALE, _LEVELS, _WINDOW, _ITERATIONS, _POLY_N, _POLY_SIGMA, _FLAGS = 0.5, 3, 15, 3, 5, 1.2, 0


def flow_magnitude(
    frames: Iterable[UInt8[np.ndarray, "rows width"]], size: Size
) -> Float32[np.ndarray, " pairs"]:
    """Measure how far the picture moves from each frame to the next: the mean length of its optical flow.

    About 20 ms a pair on one core at 16:9, whatever the film's size; pairs are shared among the cores. Only a
    few frames are held at a time.

    Parameters
    ----------
    frames
        The film, frame after frame: planar 4:2:0, as rows of ``width``, luma first.
    size
        Of the film.

    Returns
    -------
    Pixels of the reduced picture; one value for each frame but the first.

    Raises
    ------
    ConfigError
        If OpenCV isn't installed.

    References
    ----------
    Farnebäck, "Two-frame motion estimation based on polynomial expansion", SCIA 2003; parameters and mean as
    in ``av_align.py`` of TempoTokens (Yariv et al., AAAI 2024).
    Differs: on luma averaged down to a short side of `FLOW_SHORT` instead of at the film's own size. That is
    near the size of the clips that AV-Align is published for (384), costs a twentieth of what 1080p does,
    makes 0.1 pixels mean the same in a preview and in the film, and keeps fast motion within the method's
    reach.
    """
    opencv = _opencv()
    workers = os.cpu_count() or 1
    magnitudes: list[float] = []
    pending: deque[Future[float]] = deque()
    before: np.ndarray | None = None
    with ThreadPoolExecutor(workers, thread_name_prefix="flow") as pool:
        for planes in frames:
            after = _grey(opencv, planes[: size.height], size)
            if before is not None:
                pending.append(pool.submit(_mean_flow, opencv, before, after))
            if len(pending) > 2 * workers:
                magnitudes.append(pending.popleft().result())
            before = after
        magnitudes.extend(future.result() for future in pending)
    return np.array(magnitudes, np.float32)


def _opencv() -> ModuleType:
    try:
        import cv2
    except ImportError:
        raise ConfigError("evaluate --full needs OpenCV; pip install 'synesthete[evaluate]'") from None
    return cv2


def _grey(opencv: ModuleType, luma: np.ndarray, size: Size) -> np.ndarray:
    if size.short > FLOW_SHORT:
        scale = FLOW_SHORT / size.short
        target = round(size.width * scale), round(size.height * scale)
        luma = opencv.resize(luma, target, interpolation=opencv.INTER_AREA)
    return np.take(_FULL_RANGE, luma)


def _mean_flow(opencv: ModuleType, before: np.ndarray, after: np.ndarray) -> float:
    flow = opencv.calcOpticalFlowFarneback(
        before, after, None, _PYRAMID_SCALE, _LEVELS, _WINDOW, _ITERATIONS, _POLY_N, _POLY_SIGMA, _FLAGS
    )
    return float(opencv.mean(opencv.magnitude(flow[..., 0], flow[..., 1]))[0])
