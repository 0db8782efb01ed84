import os
from typing import get_args

import pytest

from synesthete.config.render import EncoderName, RenderOptions
from synesthete.errors import ConfigError
from synesthete.media.codecs import CODINGS
from synesthete.media.encode import encoder_opens
from synesthete.render.effort import choose_workers, video_settings


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
    assert {*get_args(EncoderName)} == {*CODINGS["h264"].encoders, "hardware"}


def test_encoders(capfd: pytest.CaptureFixture[str]) -> None:
    settings = video_settings(RenderOptions(resolution="720p", crf=25))
    assert (settings.encoder, settings.crf, settings.speed) == ("libx264", 25, "fast")
    hardware = [name for name in CODINGS["h264"].encoders if name != "libx264" and encoder_opens(name)]
    assert video_settings(RenderOptions(encoder="hardware")).encoder == (hardware or ["libx264"])[0]
    for name in CODINGS["h264"].encoders:
        if name != "libx264" and name not in hardware:
            with pytest.raises(
                ConfigError, match=f"encoder {name} does not open on this machine; pass --enc"
            ):
                video_settings(RenderOptions(encoder=name))
    assert capfd.readouterr() == ("", "")


def test_a_hardware_encoder_is_taken_where_it_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synesthete.render.effort.encoder_opens", lambda name, *_: name == "h264_qsv")
    assert video_settings(RenderOptions(encoder="hardware")).encoder == "h264_qsv"
    assert video_settings(RenderOptions(encoder="h264_qsv")).encoder == "h264_qsv"
