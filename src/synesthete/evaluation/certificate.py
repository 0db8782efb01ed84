"""The certificate: what was measured on a film, as one JSON document and one page.

Keys are nested; what is undetermined is null. ``sync`` is against other songs, ``sync.bars`` against the song
itself moved by whole bars; a positive lag means that the picture is late.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float32

from synesthete import __version__
from synesthete.audio.timeline import Timeline
from synesthete.evaluation.alignment import measure_alignment
from synesthete.evaluation.coherence import measure_coherence
from synesthete.evaluation.look import look_report
from synesthete.evaluation.music_sync import OtherSong, other_songs, report_sync
from synesthete.evaluation.nulls import NULL_COLUMNS
from synesthete.evaluation.observe import Observation
from synesthete.evaluation.picture import measure_picture
from synesthete.evaluation.report import Evidence, write_report
from synesthete.evaluation.response import measure_response
from synesthete.evaluation.safety import find_flashes
from synesthete.evaluation.verdicts import judge
from synesthete.files import write_json

__all__ = ["CERTIFICATE_JSON", "CERTIFICATE_KEYS", "CERTIFICATE_PAGE", "Certificate", "certify"]

CERTIFICATE_JSON: Final = "certificate.json"
CERTIFICATE_PAGE: Final = "certificate.html"
CERTIFICATE_KEYS: Final = (
    "certificate", "film", "music", "sync", "response", "silence", "flicker", "coherence", "look", "safety",
    "integrity", "verdicts",
)  # fmt: skip
"""What every certificate has."""

_FORMAT: Final = 1


@dataclass(frozen=True, eq=False)
class Certificate:
    """Measured facts on a film.

    Attributes
    ----------
    values
        What `write` puts into ``certificate.json``.
    evidence
        What the page shows beside them.
    """

    values: Mapping[str, Any]
    evidence: Evidence

    def write(self, folder: Path) -> None:
        """Write ``certificate.json`` and ``certificate.html``."""
        write_report(folder / CERTIFICATE_PAGE, self.evidence)
        write_json(folder / CERTIFICATE_JSON, dict(self.values))


def certify(
    observation: Observation,
    timeline: Timeline | None,
    *,
    film: str,
    song: str | None,
    integrity: Mapping[str, Any],
    against: Sequence[OtherSong] = (),
    flow: Float32[np.ndarray, " pairs"] | None = None,
    sheet_jpeg: bytes | None = None,
    sha256: str | None = None,
    limiter: Mapping[str, Any] | None = None,
) -> Certificate:
    """Measure everything that a certificate says.

    Parameters
    ----------
    observation
        What was seen of the film.
    timeline
        What was heard in its song; None for a film without sound.
    film, song
        Their names, as shown.
    integrity
        From `synesthete.evaluation.integrity.measure_integrity`.
    against
        Songs that join the bank of other songs.
    flow
        Mean magnitude of the optical flow per pair of frames, for the scores of ``--full``.
    sheet_jpeg
        A contact sheet for the page.
    sha256
        Of the film's bytes: whose certificate this is.
    limiter
        What the flash limiter did to it; None if that is not known.
    """
    picture = measure_picture(observation)
    flashes = find_flashes(observation)
    coherence = measure_coherence(observation, timeline, picture).to_json()
    alignment = {}
    if timeline is not None and flow is not None:
        nulls = ((_onset(song.table), song.beats) for song in other_songs(against))
        alignment = {"alignment": measure_alignment(flow, observation.frame_rate, timeline, nulls)}
    values: dict[str, Any] = {
        "certificate": _FORMAT,
        "synesthete": __version__,
        "film": {
            "file": film,
            "sha256": sha256,
            "frames": observation.frames,
            "frame_rate": str(observation.frame_rate),
            "width": observation.size.width,
            "height": observation.size.height,
            "duration_s": round(observation.duration_s, 3),
        },
        "music": _music(song, timeline),
        "sync": report_sync(observation, picture, timeline, against=against),
        **measure_response(observation, picture, timeline),
        "flicker": coherence.pop("flicker") or 0.0,  # two frames don't flicker
        "coherence": coherence,
        "look": look_report(observation),
        "safety": {**flashes.to_json(), **({} if limiter is None else {"limiter": dict(limiter)})},
        "integrity": dict(integrity),
        **alignment,
    }
    values["verdicts"] = [verdict.to_json() for verdict in judge(values)]
    evidence = Evidence(
        values=values,
        onset=None if timeline is None else np.asarray(timeline.column("onset")),
        motion=observation.motion,
        brightness=picture.brightness,
        frame_rate=observation.frame_rate,
        flashes=flashes.timeline,
        sheet_jpeg=sheet_jpeg,
        title=film if song in (None, film) else f"{film} · {song}",
    )
    return Certificate(values, evidence)


def _onset(table: Float32[np.ndarray, "ticks columns"]) -> Float32[np.ndarray, " ticks"]:
    return np.asarray(table[:, NULL_COLUMNS.index("onset")])


def _music(song: str | None, timeline: Timeline | None) -> dict[str, Any] | None:
    if timeline is None:
        return None
    music = timeline.music.to_json()
    kept = ("tempo_bpm", "beats_per_bar", "key", "sections")
    return {"file": song, **{name: music[name] for name in kept}}
