"""Ways from Timeline to frames: the one junction of sound and picture."""
