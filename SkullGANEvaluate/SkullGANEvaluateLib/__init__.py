"""The parts of the panel SkullGANEvaluate: what it remembers and does, and its two tables."""
