"""Networks: plain torch, no audio, no configuration."""
