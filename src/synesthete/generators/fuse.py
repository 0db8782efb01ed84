"""Fuse elementwise kernels with ``torch.compile``, or say once why not and run them eagerly.

A kernel is fused per structure, not per seed or song: whatever varies is passed as a tensor. The compiled
code is kept in a folder that the caller names, never in the system's temporary folder.
"""

import logging
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, MethodType
from typing import Any, ClassVar

import torch
from torch import Tensor

__all__ = ["Fuser", "Kernel"]

_log = logging.getLogger(__name__)
Kernel = Callable[..., Tensor]


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

    def fuse(self, key: object, kernel: Kernel, *example: Any) -> Kernel | None:
        """Compile a kernel and run it once on example arguments.

        Parameters
        ----------
        key
            Names the kernel's structure; a second call with it returns the same compiled kernel, also from
            another Fuser of the same cache folder.

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
            try:
                _check_whole(kernel, *example)
                compiled = _compile(_own_code(kernel))
                compiled(*example)
            except Exception as error:  # the compiler's errors are of many kinds, none of them public
                self.reason = f"the compiler failed ({_first_words(error)})"
                _log.warning("fused kernels are off: %s; rendering goes on, more slowly", self.reason)
                return None
            self._kernels[known] = compiled
            return compiled


def _compile(kernel: Kernel) -> Kernel:
    # Inductor would compile test programs for 15 s to learn what the compiler's manual says.
    os.environ.setdefault("TORCHINDUCTOR_VEC_ISA_OK", "1")
    import torch._dynamo
    import torch._inductor.config

    # One thread per kernel: Segments are rendered side by side, and results don't depend on a thread count.
    # The C++ wrapper is the one that leaves Python's lock: two threads draw twice as fast with it, and no
    # faster without.
    # Precompiled headers would go to the system's temporary folder, and gain nothing here.
    options: dict[str, Any] = {"cpp.threads": 1, "cpp_wrapper": True, "cpp_cache_precompile_headers": False}
    # Not fullgraph: torch 2.13 counts the frames of such calls in one variable for all threads, and now and
    # then refuses one when two threads draw. `_check_whole` has seen to it that nothing runs outside.
    compiled: Kernel = torch.compile(kernel, dynamic=True, options=options)
    return compiled


def _check_whole(kernel: Kernel, *example: Any) -> None:
    """Trace a kernel without compiling it; raises where it is not one graph."""
    traced: Kernel = torch.compile(_own_code(kernel), dynamic=True, fullgraph=True, backend="eager")
    traced(*example)


def _own_code(kernel: Kernel) -> Kernel:
    """Copy a function's code object: Dynamo's limit of eight compiled versions counts per code object."""
    function = getattr(kernel, "__func__", kernel)
    if not isinstance(function, FunctionType):
        return kernel
    code, name = function.__code__.replace(), function.__name__
    copy = FunctionType(code, function.__globals__, name, function.__defaults__, function.__closure__)
    copy.__kwdefaults__ = function.__kwdefaults__
    owner = getattr(kernel, "__self__", None)
    return copy if owner is None else MethodType(copy, owner)


def _first_words(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines()]
    # Dynamo's first line is only "backend='inductor' raised:".
    said = (line for line in lines if line and not line.endswith("raised:"))
    return next(said, type(error).__name__)[:120]


def _compilers() -> list[str]:
    given = os.environ.get("CXX")
    return [given] if given else ["g++", "clang++", "c++", "cl"]
