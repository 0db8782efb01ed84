"""Turn a Trajectory into a film: segments, encoding, stitching, manifest."""
