"""What is known about a clip: the truth of its part of a composed song, or where a recorded one is from."""

from typing import Any

from synesthete.config.data import DataConfig
from synesthete.training.plan import ClipPlan
from synesthete.training.songs import Song

__all__ = ["facts_of"]

_DIGITS = 4


def facts_of(config: DataConfig, plan: ClipPlan, song: Song) -> dict[str, Any]:
    """Give the facts of a clip as plain values.

    Returns
    -------
    ``song``, ``start_s`` (where in it the clip begins) and ``seconds`` (its length); of a composed song
    ``truth``: its genre, tempo, metre, key and pulse, and what of its beats, downbeats, sections, silences
    and notes falls into the clip, in seconds from the clip's first frame; of a recorded one ``real``.
    """
    start = plan.first_frame / config.frame_rate
    seconds = config.clip_frames / config.frame_rate
    facts: dict[str, Any] = {"song": plan.song, "start_s": round(start, _DIGITS), "seconds": seconds}
    if "truth" not in song.facts:
        return facts | song.facts
    truth = song.facts["truth"]
    whole = {name: truth[name] for name in ("genre", "tempo", "metre", "key", "pulse")}

    def moment(value: float) -> float:
        return round(value - start, _DIGITS)

    def inside(first: float, last: float) -> bool:
        return first < start + seconds and last > start

    fields = truth["note_fields"]
    at, long = fields.index("start_s"), fields.index("duration_s")
    whole |= {
        name: [moment(value) for value in truth[name] if 0 <= value - start < seconds]
        for name in ("beats", "downbeats")
    }
    whole["sections"] = [
        {**section, "start_s": moment(section["start_s"]), "stop_s": moment(section["stop_s"])}
        for section in truth["sections"]
        if inside(section["start_s"], section["stop_s"])
    ]
    whole["silences"] = [[moment(a), moment(b)] for a, b in truth["silences"] if inside(a, b)]
    whole["note_fields"] = fields
    whole["notes"] = [
        [moment(value) if place == at else value for place, value in enumerate(note)]
        for note in truth["notes"]
        if inside(note[at], note[at] + note[long])
    ]
    return facts | {"truth": whole}
