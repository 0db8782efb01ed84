"""The sound of a film: heard again, brought to its loudness, and encoded once."""

import threading
from collections.abc import Iterator
from dataclasses import asdict

import numpy as np

from synesthete.files import whole_file
from synesthete.media.codecs import sound_container
from synesthete.media.gain import find_gain, with_gain
from synesthete.media.mux import encode_sound
from synesthete.media.sound import Sound
from synesthete.render.listen import song_chunks
from synesthete.render.loop_sound import ENCODER_LEAD, repeated
from synesthete.render.plan import RenderPlan
from synesthete.render.run import RunFolder, StoredPart
from synesthete.render.segments import Interrupted

__all__ = ["film_sound"]


def film_sound(plan: RenderPlan, folder: RunFolder, stop: threading.Event) -> StoredPart | None:
    """Encode a film's sound, or find it encoded; None where the film's format has none.

    Parameters
    ----------
    stop
        When it is set, `Interrupted` is raised soon.
    """
    codec = plan.video.coding.sound
    if codec is None:
        return None
    key = plan.sound_key()
    path = folder.work / f"sound{sound_container(codec).suffix}"
    found = folder.stored(path, key)
    if found is not None:
        return found

    def chunks() -> Iterator[np.ndarray]:
        for chunk in song_chunks(plan.song, allow_truncated=plan.options.allow_truncated, loop=plan.loop):
            if stop.is_set():
                raise Interrupted
            yield chunk

    sound, facts = Sound(chunks, plan.song.sample_rate, plan.song.channels), {}
    gain = plan.gain
    if gain is None and plan.options.loudness is not None:
        gain = find_gain(sound, target_lufs=plan.options.loudness, limiter=plan.options.limiter)
    if gain is not None:
        sound, facts = with_gain(sound, gain), {"loudness": asdict(gain)}
    lead = 0 if plan.loop is None or codec != "aac" else ENCODER_LEAD
    heard = sound.chunks() if not lead else repeated(sound.chunks, plan.song.samples, before=lead, after=0)
    with whole_file(path) as part:
        track = encode_sound(
            heard, part, sample_rate=sound.sample_rate, channels=sound.channels, lead=lead, codec=codec
        )
    return folder.store(path, key, sample_rate=track.sample_rate, channels=track.channels, **facts)
