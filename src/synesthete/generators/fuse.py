"""Fuse elementwise kernels with Inductor, PyTorch's compiler; where it can't be had, run them recorded.

What is recorded runs without Python between its operations. A kernel is fused per structure, not per seed
or song: whatever varies is passed as a tensor. The compiled code is kept in a folder that the caller names,
never in the system's temporary folder.
"""

import logging
import math
import os
import shutil
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

import torch
from torch import Tensor

__all__ = ["Fuser", "Kernel", "Replayed"]

_log = logging.getLogger(__name__)
Kernel = Callable[..., Tensor]

_OPTIONS: Final[dict[str, Any]] = {
    # One thread per kernel: Segments are rendered side by side, and results don't depend on a thread count.
    "cpp.threads": 1,
    # The C++ wrapper is the one that leaves Python's lock: two threads draw twice as fast with it, and no
    # faster without.
    "cpp_wrapper": True,
    "assert_indirect_indexing": False,
    # Precompiled headers would go to the system's temporary folder, and gain nothing here.
    "cpp_cache_precompile_headers": False,
}
_LONG: Final[dict[str, Any]] = {
    # What is used twice is computed once. By default Inductor repeats it, and what repeats something that
    # repeats: a loop of 16 steps took minutes to compile. Where a short kernel looks at neighbours, though,
    # repeating is faster than a buffer.
    "realize_cpu_opcount_threshold": 4,
    "realize_reads_threshold": 1,
    "max_fusion_size": 2000,
}


_CALLS_BEFORE_RECORDING: Final = 12
"""Recording takes as long as some calls: what is drawn once or twice isn't worth it."""


class Fuser:
    """Compiles kernels into one cache folder; after a first failure everything stays eager.

    Parameters
    ----------
    cache
        Where compiled code is kept between runs.
    wanted
        False: never compile.
    """

    # Tracing alone takes seconds: the films that one process renders share what was compiled.
    _kernels: ClassVar[dict[tuple[str, object], Kernel]] = {}
    _lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, cache: Path, *, wanted: bool = True) -> None:
        self._cache = cache.resolve()
        self.reason: str | None = None if wanted else "not asked for"
        if wanted and not any(shutil.which(name) for name in _compilers()):
            self.reason = "no C++ compiler was found"

    @property
    def available(self) -> bool:
        """Tell whether compiling is still worth a try."""
        return self.reason is None

    def fuse(self, key: object, kernel: Kernel, *example: Any, long: bool = False) -> Kernel | None:
        """Compile a kernel and run it once on example arguments.

        Parameters
        ----------
        key
            Names the kernel's structure; a second call with it returns the same compiled kernel, also from
            another Fuser of the same cache folder.
        long
            Whether the kernel has hundreds of operations.

        Returns
        -------
        The compiled kernel, or None where it can't be compiled; `reason` then says why.
        """
        with self._lock:
            if not self.available:
                return None
            known = (str(self._cache), key)
            if known in self._kernels:
                return self._kernels[known]
            os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(self._cache)
            compiled = _Fused(kernel, _OPTIONS | _LONG if long else _OPTIONS)
            try:
                compiled(*example)
            except Exception as error:  # the compiler's errors are of many kinds, none of them public
                self.reason = f"the compiler failed ({_first_words(error)})"
                _log.warning("fused kernels are off: %s; rendering goes on, more slowly", self.reason)
                return None
            self._kernels[known] = compiled
            return compiled


class _Fused:
    """A compiled kernel, and one more wherever what is asked for does not fit those that are there."""

    def __init__(self, kernel: Kernel, options: Mapping[str, Any]) -> None:
        self._kernel = kernel
        self._options = dict(options)
        self._variants: list[tuple[Callable[..., bool], Kernel]] = []
        self._fitting: dict[object, Kernel] = {}
        self._lock = threading.Lock()

    def __call__(self, *tensors: Tensor) -> Tensor:
        layout = tuple((tensor.shape, tensor.stride()) for tensor in tensors)
        compiled = self._fitting.get(layout)
        if compiled is None:
            with self._lock:
                compiled = self._fitting[layout] = self._fit(*tensors)
        return compiled(*tensors)

    def _fit(self, *tensors: Tensor) -> Kernel:
        # Sizes and strides are what counts: where in a larger tensor one begins would be taken for a size.
        like = [torch.empty_strided(t.shape, t.stride(), dtype=t.dtype, device=t.device) for t in tensors]
        for fits, compiled in self._variants:
            if fits(*like):
                return compiled
        try:
            self._variants.append(_compile(self._kernel, self._options, *like))
        except Exception as error:
            if not self._variants:  # the caller knows how to go on without
                raise
            _log.warning("a size is drawn eagerly: the compiler failed (%s)", _first_words(error))
            return self._kernel
        return self._variants[-1][1]


class Replayed:
    """A kernel whose operations are recorded, and then run without Python between them; needs no compiler.

    The same operations on the same numbers give the same bits. But without Python's lock two threads draw at
    once, and bands that fit a core's cache pay. Where TorchScript can't be had, the kernel runs as it is.

    Parameters
    ----------
    kernel
        Takes and gives tensors, and depends on nothing else.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._calls: Counter[object] = Counter()
        self._recorded: dict[object, Kernel] = {}
        self._lock = threading.Lock()

    def __call__(self, *tensors: Tensor) -> Tensor:
        """Run the kernel."""
        layout = tuple((tensor.shape, tensor.stride(), tensor.device) for tensor in tensors)
        recorded = self._recorded.get(layout)
        if recorded is None:
            self._calls[layout] += 1
            if self._calls[layout] < _CALLS_BEFORE_RECORDING:
                return self._kernel(*tensors)
            with self._lock:
                if layout not in self._recorded:
                    self._recorded[layout] = _record(self._kernel, *tensors)
            recorded = self._recorded[layout]
        return recorded(*tensors)


def _record(kernel: Kernel, *example: Tensor) -> Kernel:
    with warnings.catch_warnings(), torch.no_grad():
        # It warns that it is deprecated, and of sizes taken for constants, as they are: of this layout only.
        warnings.simplefilter("ignore")
        try:
            recorded: Kernel = torch.jit.trace(  # type: ignore[no-untyped-call]
                lambda *tensors: kernel(*tensors), example, check_trace=False
            )
        except Exception as error:  # of many kinds, none of them public
            _log.info("kernels are not recorded: %s", _first_words(error))
            return kernel
    return recorded


def _compile(kernel: Kernel, options: dict[str, Any], *example: Tensor) -> tuple[Callable[..., bool], Kernel]:
    """Compile a kernel for all sizes that behave like the example's; give the test of that, and the kernel.

    Traced by make_fx and compiled ahead: Dynamo, which torch.compile puts in front, takes longer to trace
    than Inductor to find a kernel in its cache.
    """
    # Inductor would compile test programs for 15 s to learn what the compiler's manual says.
    os.environ.setdefault("TORCHINDUCTOR_VEC_ISA_OK", "1")
    from torch._inductor import standalone_compile
    from torch.fx.experimental.proxy_tensor import make_fx

    with torch.no_grad():
        # The lambda hides arguments with defaults, which make_fx would ask for.
        faster = _FASTER
        graph = make_fx(
            lambda *tensors: kernel(*tensors), tracing_mode="symbolic", decomposition_table=faster
        )(*example)
        sizes = graph.shape_env
        assert sizes is not None  # for mypy; symbolic tracing makes one
        inputs = [node.meta["val"] for node in graph.graph.nodes if node.op == "placeholder"]
        condition = sizes.produce_guards_expression(inputs, ignore_static=False)
        compiled = standalone_compile(
            graph, list(example), dynamic_shapes="from_graph", options={"config_patches": options}
        )

    def fits(*tensors: Tensor) -> bool:
        return condition is None or bool(sizes.evaluate_guards_expression(condition, tensors))

    def run(*tensors: Tensor) -> Tensor:
        result: Tensor = compiled(*tensors)
        return result

    return fits, run


def _tanh(x: Tensor) -> Tensor:
    """Give the hyperbolic tangent within 1e-7, in a quarter of the time that Inductor's own takes."""
    return 2.0 * torch.sigmoid(2.0 * x) - 1.0


def _lerp(start: Tensor, end: Tensor, weight: Tensor | float) -> Tensor:
    """Mix in three operations; Inductor's own takes ten, to be exact at both ends."""
    return start + weight * (end - start)


def _atan2(y: Tensor, x: Tensor) -> Tensor:
    """Give the angle of a vector within 3e-6, in a third of the time of the library's.

    References
    ----------
    The minimax polynomial is Abramowitz & Stegun's 4.4.49 in spirit: odd, of degree 11, on [0, 1].
    """
    across, down = torch.abs(x), torch.abs(y)
    ratio = torch.minimum(across, down) / torch.clamp(torch.maximum(across, down), min=1e-30)
    s = ratio * ratio
    p = -0.01172120 * s + 0.05265332
    p = p * s - 0.11643287
    p = p * s + 0.19354346
    p = p * s - 0.33262347
    p = p * s + 0.99997726
    turn = ratio * p
    turn = torch.where(down > across, 0.5 * math.pi - turn, turn)
    return torch.copysign(torch.where(x < 0.0, math.pi - turn, turn), y)


_FASTER: Final[dict[Any, Callable[..., Any]]] = {
    torch.ops.aten.tanh.default: _tanh,
    torch.ops.aten.lerp.Tensor: _lerp,
    torch.ops.aten.lerp.Scalar: _lerp,
    torch.ops.aten.atan2.default: _atan2,
}


def _first_words(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines()]
    # Dynamo's first line is only "backend='inductor' raised:".
    said = (line for line in lines if line and not line.endswith("raised:"))
    return next(said, type(error).__name__)[:120]


def _compilers() -> list[str]:
    given = os.environ.get("CXX")
    return [given] if given else ["g++", "clang++", "c++", "cl"]
