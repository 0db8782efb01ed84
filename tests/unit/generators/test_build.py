import pytest
import torch

from synesthete.config.preset import load_preset
from synesthete.config.render import RenderOptions
from synesthete.errors import ConfigError
from synesthete.generators.base import Generator, Size
from synesthete.generators.build import build_fuser, build_generator, choose_device

FULL_HD = Size(1920, 1080)


def test_compiling_is_for_films_that_win_by_it() -> None:
    def reason(kernels: str, size: Size, frames: int, generator: str = "cppn") -> str | None:
        return build_fuser(RenderOptions(kernels=kernels), generator, size, frames).reason  # type: ignore[arg-type]

    assert reason("auto", FULL_HD, 90) == "not asked for"
    assert reason("auto", FULL_HD, 300) == "not asked for"
    assert reason("auto", FULL_HD, 300, "program") != "not asked for"
    assert reason("eager", FULL_HD, 10**6) == "not asked for"
    assert reason("auto", FULL_HD, 5000) != "not asked for"
    assert reason("fused", Size(64, 64), 1) != "not asked for"


def test_a_preset_builds_its_generator() -> None:
    options = RenderOptions(kernels="eager", device="cpu")
    generator = build_generator(load_preset("silk"), options, build_fuser(options, "cppn", FULL_HD, 1))
    assert isinstance(generator, Generator)
    assert generator.name == "cppn"


def test_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device("auto") == choose_device("cpu") == "cpu"
    for name in ("cuda", "mps"):
        with pytest.raises(ConfigError, match=rf"--device {name} is not available .*; pass --device auto"):
            choose_device(name)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto") == choose_device("cuda") == "cuda"
