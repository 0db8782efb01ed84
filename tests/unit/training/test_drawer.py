"""A model draws as it is asked to."""

import torch

from made_dreams import made_diffusion, made_vae
from made_weights import tiny_config
from synesthete.audio.columns import COLUMN_NAMES
from synesthete.training.drawer import Drawer


def velocity(*, guidance: float, rescale: float) -> torch.Tensor:
    """Draw in one step, and give its velocity."""
    config = tiny_config("data.context_s=0.5")
    sampling = config.sampling.model_copy(
        update={"audio_guidance": guidance, "style_guidance": 1.0, "steps": 1}
    )
    drawer = Drawer(
        made_diffusion(), made_vae(), data=config.data, conditions=config.conditions, sampling=sampling,
        seed=3, rescale=rescale,
    )  # fmt: skip
    data, frames = config.data, 4
    rows = data.rows_per_frame * (2 * data.context_frames + frames - 1) + 1
    heard = torch.rand(2, rows, len(COLUMN_NAMES), generator=torch.Generator().manual_seed(0))
    clips = drawer.sample(heard, torch.zeros(2, 8), [0, 1], frames=frames)
    return clips - torch.stack([drawer.noise(number, frames) for number in (0, 1)])


def test_rescaling_brings_back_what_guidance_exaggerates() -> None:
    plain, strong, tamed = (
        velocity(guidance=scale, rescale=share) for scale, share in ((1.0, 0.0), (24.0, 0.0), (24.0, 1.0))
    )
    spreads = [clips.std(dim=(2, 3, 4)) for clips in (plain, strong, tamed)]
    assert (spreads[1] > 1.05 * spreads[0]).all()
    assert torch.allclose(spreads[2], spreads[0], rtol=1e-3)
    assert not torch.allclose(tamed, plain, rtol=0.1)
    assert torch.equal(velocity(guidance=1.0, rescale=1.0), plain)
