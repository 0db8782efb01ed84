"""Kernels are fused where a compiler is; where none is, or where it fails, films are drawn all the same."""

import logging
import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from synesthete.config.preset import load_preset
from synesthete.generators.base import Size
from synesthete.generators.control import Signals
from synesthete.generators.cppn import CppnGenerator
from synesthete.generators.fuse import Fuser, Replayed
from synesthete.generators.quantise import Quantiser

COMPILER = os.environ.get("CXX") or next(
    filter(None, map(shutil.which, ("g++", "clang++", "c++", "cl"))), None
)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What the Fuser sets for the compiler is forgotten after each test."""
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("TORCHINDUCTOR_VEC_ISA_OK", "1")


def sines(x: torch.Tensor, p: torch.Tensor) -> torch.Tensor:
    return torch.sin(x * p[0]) + p[1]


def outer(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return torch.tanh(x[:, None] * y) + y


def stubborn(x: torch.Tensor) -> torch.Tensor:
    """What no compiler of tensor programs can take whole: a branch on a value."""
    return x if float(x.sum()) > 0 else -x


def generator_with(fuser: Fuser) -> CppnGenerator:
    return CppnGenerator(load_preset("silk").cppn, fuser, precision="float32")


def signals(frames: int = 9) -> Signals:
    t = np.linspace(0, 1, frames)
    names = sorted(load_preset("silk").control.names())
    return Signals(Fraction(30), {name: 0.5 + 0.4 * np.sin(2 * t + k) for k, name in enumerate(names)})


def drawn(generator: CppnGenerator, size: Size, *, prepare: bool = True) -> tuple[str, list[np.ndarray]]:
    trajectory = generator.score(signals(), np.zeros((9, 4)), 26)
    path = generator.prepare(trajectory, size) if prepare else ""
    quantiser = Quantiser(size)
    return path, [quantiser.rgb8(picture).numpy() for picture in generator.frames(trajectory, 3, 6, size)]


@pytest.mark.parametrize("missing", ["nothing on the path", "CXX names nothing"])
def test_without_a_compiler_it_says_why_and_the_film_is_drawn(
    missing: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if missing == "CXX names nothing":
        monkeypatch.setenv("CXX", "/nonexistent/c++")
    else:
        monkeypatch.delenv("CXX", raising=False)
        monkeypatch.setenv("PATH", str(tmp_path))
    fuser = Fuser(tmp_path / "kernels")
    assert not fuser.available
    assert fuser.reason is not None
    assert "compiler" in fuser.reason
    assert fuser.fuse("sines", sines, torch.ones(4), torch.ones(2)) is None
    path, pictures = drawn(generator_with(fuser), Size(64, 36))
    assert path.startswith("eager-")
    assert len(pictures) == 3
    assert not (tmp_path / "kernels").exists()


def test_what_is_not_asked_for_is_not_compiled(tmp_path: Path) -> None:
    fuser = Fuser(tmp_path, wanted=False)
    assert not fuser.available
    assert fuser.reason == "not asked for"
    assert fuser.fuse("sines", sines, torch.ones(4), torch.ones(2)) is None


def test_a_failing_compiler_is_reported_once_and_the_film_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    here = tmp_path / "bin"
    here.mkdir()
    (here / "g++").touch(mode=0o755)  # after the machine's own, if it has one: the kernel is what fails
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}{os.pathsep}{here}")
    fuser = Fuser(tmp_path / "kernels")
    assert fuser.available
    with caplog.at_level(logging.WARNING, logger="synesthete"):
        assert fuser.fuse("stubborn", stubborn, torch.ones(4)) is None
        assert fuser.fuse("sines", sines, torch.ones(4), torch.ones(2)) is None
        path, pictures = drawn(generator_with(fuser), Size(64, 36))
    (warning,) = [record.getMessage() for record in caplog.records if record.name.startswith("synesthete")]
    assert warning.startswith("fused kernels are off: the compiler failed (")
    assert "\n" not in warning
    assert not fuser.available
    assert path.startswith("eager-")
    assert len(pictures) == 3


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")  # torch's own, within torch
def test_fused_frames_are_eager_frames_within_one_grey_level(
    pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Compiling takes half a minute: what is compiled is kept for the next run of the tests.
    cache = Path(pytestconfig.cache.mkdir("kernels")) if pytestconfig.cache else Path(".pytest_cache/kernels")
    fuser = Fuser(cache)
    generator, size = generator_with(fuser), Size(160, 90)
    path, pictures = drawn(generator, size)
    eager, expected = drawn(generator_with(Fuser(cache, wanted=False)), size)
    worst = max(int(np.abs(a.astype(int) - b).max()) for a, b in zip(pictures, expected, strict=True))
    if COMPILER is None:
        assert (path, worst) == (eager, 0)
        return
    assert fuser.reason is None
    assert path == eager.replace("eager", "fused")
    assert worst <= 1
    assert any(cache.rglob("*.so"))
    # Another seed, song and size, in bands or whole, are other numbers in the same kernels.
    other = generator.score(signals(5), np.ones((5, 4)), 99)
    monkeypatch.setattr("synesthete.generators.fuse._compile", None)
    for more in (size, Size(64, 36), Size(1280, 720), Size(854, 480)):
        assert bool(next(generator.frames(other, 2, 3, more)).isfinite().all())


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
@pytest.mark.skipif(COMPILER is None, reason="no C++ compiler")
def test_what_does_not_fit_a_kernel_gets_one_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = Fuser(tmp_path).fuse("outer", outer, torch.rand(5), torch.rand(7))
    assert kernel is not None
    # Larger, of equal sizes, broadcast, and not contiguous.
    for x, y in [
        (torch.rand(90), torch.rand(40)),
        (torch.rand(6), torch.rand(6)),
        (torch.rand(1), torch.rand(8)),
        (torch.rand(20)[::2], torch.rand(8)),
    ]:
        torch.testing.assert_close(kernel(x, y), outer(x, y))
    monkeypatch.setattr("synesthete.generators.fuse._compile", None)
    for x, y in [(torch.rand(31)[4:], torch.rand(50)[9:20]), (torch.rand(44)[3::2], torch.rand(13)[1:])]:
        torch.testing.assert_close(kernel(x, y), outer(x, y))


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
@pytest.mark.skipif(COMPILER is None, reason="no C++ compiler")
def test_threads_share_a_kernel(tmp_path: Path) -> None:
    fuser = Fuser(tmp_path)
    x, p = torch.linspace(0, 1, 200_000), torch.tensor([2.0, 0.5])
    kernel = fuser.fuse("shared", sines, x, p)
    assert kernel is not None
    expected = sines(x, p)

    def call(_: int) -> bool:
        with torch.no_grad():
            return all(torch.allclose(kernel(x, p), expected, atol=1e-6) for _ in range(1500))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # threads meet in every line
    try:
        with ThreadPoolExecutor(4) as pool:
            assert all(pool.map(call, range(4)))
    finally:
        sys.setswitchinterval(interval)


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")  # torch's own, within torch
@pytest.mark.skipif(COMPILER is None, reason="no C++ compiler here")
def test_what_is_computed_faster_is_as_exact_as_pictures_need(tmp_path: Path) -> None:
    def kernel(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return torch.stack([torch.atan2(a, b), torch.lerp(a, b, torch.sigmoid(a)), torch.tanh(b)])

    a, b = torch.randn(2, 40, 60, generator=torch.Generator().manual_seed(1)) * 3
    a[0, :4], b[0, :4] = torch.tensor([0.0, 0.0, 1.0, -1.0]), torch.tensor([0.0, -2.0, 0.0, 0.0])
    fused = Fuser(tmp_path).fuse("exact", kernel, a, b)

    assert fused is not None
    assert torch.allclose(fused(a, b), kernel(a, b), atol=1e-5, rtol=1e-6)


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")  # torch's own, within torch
@pytest.mark.skipif(COMPILER is None, reason="no C++ compiler here")
def test_a_size_that_the_compiler_refuses_is_drawn_eagerly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kernel(a: torch.Tensor) -> torch.Tensor:
        return a * 2.0 if a.shape[0] > 100 else a + 1.0

    fused = Fuser(tmp_path).fuse("split", kernel, torch.zeros(10, 3))
    assert fused is not None

    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("no compiler any more")

    monkeypatch.setattr("synesthete.generators.fuse._compile", refuse)

    assert torch.equal(fused(torch.ones(200, 3)), torch.full((200, 3), 2.0))
    assert torch.equal(fused(torch.ones(20, 3)), torch.full((20, 3), 2.0))


def test_what_is_replayed_is_the_same_to_the_bit_at_every_size() -> None:
    def kernel(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        rows = a.shape[0]
        return torch.sin(a).mul_(b[:rows, None]).add_(0.5).expand(rows, -1)

    replayed = Replayed(kernel)
    random = torch.Generator().manual_seed(1)
    for rows in (7, 5, 7):
        for _ in range(20):
            a, b = torch.randn(rows, 9, generator=random), torch.randn(8, generator=random)
            assert torch.equal(replayed(a.clone(), b), kernel(a.clone(), b))


def test_threads_that_replay_one_kernel_get_each_its_own_result() -> None:
    replayed = Replayed(lambda a: torch.exp(a).mul_(2.0) + a)
    inputs = [torch.full((40, 50), float(k)) for k in range(60)]

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(replayed, inputs))

    for given, result in zip(inputs, results, strict=True):
        assert torch.equal(result, torch.exp(given) * 2.0 + given)


def test_what_cannot_be_recorded_runs_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("no TorchScript here")

    monkeypatch.setattr(torch.jit, "trace", refuse)
    replayed = Replayed(lambda a: a + 1.0)

    assert all(torch.equal(replayed(torch.zeros(3)), torch.ones(3)) for _ in range(30))
