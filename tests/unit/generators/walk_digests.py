"""Plan a walk and draw a frame of it with as many threads as the environment says; prints digests as JSON.

Run by ``test_walk_threads.py`` in processes of their own: libraries read the count when they are loaded.
"""

import json

import numpy as np
import torch

from made_walks import beaten_timeline, heard, made_network
from synesthete.config.gan_look import GanLook
from synesthete.files import digest_bytes
from synesthete.generators.base import Size
from synesthete.generators.gan import WalkGenerator
from synesthete.generators.latent_control import plan_latents


def main() -> None:
    # So long that products along the song, if there were any, would be shared out among threads.
    level = 0.6 + 0.3 * np.sin(np.arange(24_000) / 90)
    sections = ((0.0, "A"), (110.0, "B"))
    timeline = beaten_timeline(240.0, sections=sections, silences=((160.0, 170.0),), level=level)
    look = GanLook(anchors=6, move_beats=4, noise="beating", smoothing=2.0)
    signals = heard(timeline, 10)
    style = np.tile([0.3, -0.2, 0.1, 0.4], (signals.frames, 1))
    plan = plan_latents(signals, style, look, 3)
    walker = WalkGenerator(look, made_network(), aspect=16 / 9)
    trajectory = walker.score(signals, style, 3)
    size = Size(64, 36)
    path = walker.prepare(trajectory, size)
    (frame,) = walker.frames(trajectory, 1101, 1102, size)
    made = {
        **{f"plan.{name}": getattr(plan, name) for name in ("weights", "axes", "wander", "grain", "light")},
        **{f"route.{name}": getattr(plan.route, name) for name in ("moments", "stops", "levels", "beaten")},
        "rows": trajectory.rows,
        **trajectory.tables,
        "frame": frame.numpy(),
    }
    digests = {name: digest_bytes(np.ascontiguousarray(array).tobytes()) for name, array in made.items()}
    print(json.dumps({"threads": torch.get_num_threads(), "path": path, "digests": digests}))


if __name__ == "__main__":
    main()
