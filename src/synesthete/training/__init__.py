"""What learned models train on, and how: aligned clips of music and pictures without end."""
