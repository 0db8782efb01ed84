"""Abstract stills in buckets, seeded: drawn by programs and simulations, or by a diffusion model of yours."""
