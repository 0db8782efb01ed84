import os
from typing import get_args

import pytest
import torch

from synesthete.config.preset import load_preset
from synesthete.config.render import EncoderName, RenderOptions
from synesthete.errors import ConfigError
from synesthete.generators.base import Generator, Size
from synesthete.media.encode import Encoder, encoder_opens
from synesthete.render.build import (
    build_fuser,
    build_generator,
    choose_device,
    choose_workers,
    video_settings,
)

FULL_HD = Size(1920, 1080)


def test_compiling_is_for_films_that_win_by_it() -> None:
    def reason(kernels: str, size: Size, frames: int) -> str | None:
        return build_fuser(RenderOptions(kernels=kernels), size, frames).reason  # type: ignore[arg-type]

    assert reason("auto", FULL_HD, 90) == "not asked for"
    assert reason("eager", FULL_HD, 10**6) == "not asked for"
    assert reason("auto", FULL_HD, 5000) != "not asked for"
    assert reason("fused", Size(64, 64), 1) != "not asked for"


def test_a_preset_builds_its_generator() -> None:
    options = RenderOptions(kernels="eager", device="cpu")
    generator = build_generator(load_preset("silk"), options, build_fuser(options, FULL_HD, 1))
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


def test_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(6)), raising=False)
    assert choose_workers(RenderOptions(), 100) == 6
    assert choose_workers(RenderOptions(), 2) == 2
    assert choose_workers(RenderOptions(workers=3), 100) == 3
    assert choose_workers(RenderOptions(workers=256), 100) == 100
    assert choose_workers(RenderOptions(), 0) == 1
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(96)), raising=False)
    assert choose_workers(RenderOptions(), 100) == 16
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert choose_workers(RenderOptions(), 100) == 1


def test_options_name_the_encoders_that_there_are() -> None:
    assert {*get_args(EncoderName)} == {*get_args(Encoder), "hardware"}


def test_encoders(capfd: pytest.CaptureFixture[str]) -> None:
    settings = video_settings(RenderOptions(resolution="720p", crf=25))
    assert (settings.encoder, settings.crf, settings.speed) == ("libx264", 25, "fast")
    hardware = [name for name in get_args(Encoder) if name != "libx264" and encoder_opens(name)]
    assert video_settings(RenderOptions(encoder="hardware")).encoder == (hardware or ["libx264"])[0]
    for name in get_args(Encoder):
        if name != "libx264" and name not in hardware:
            with pytest.raises(
                ConfigError, match=f"encoder {name} does not open on this machine; pass --enc"
            ):
                video_settings(RenderOptions(encoder=name))
    assert capfd.readouterr() == ("", "")


def test_a_hardware_encoder_is_taken_where_it_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synesthete.render.build.encoder_opens", lambda name: name == "h264_qsv")
    assert video_settings(RenderOptions(encoder="hardware")).encoder == "h264_qsv"
    assert video_settings(RenderOptions(encoder="h264_qsv")).encoder == "h264_qsv"
