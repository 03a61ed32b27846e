"""Our own method in stages: components connected to other modalities, then the other latents, then a graph."""
