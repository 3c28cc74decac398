"""Measurements, as ratios within one run. Never tests: they time, and machines are noisy."""
