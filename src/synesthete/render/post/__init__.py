"""What is done to finished pictures: trails, sharpening, lens, light, colour and grain."""

from synesthete.render.post.amounts import with_amounts
from synesthete.render.post.finisher import Finisher, finished

__all__ = ["Finisher", "finished", "with_amounts"]
