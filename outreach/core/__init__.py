"""Decisions: pure functions from data and `now` to a value. No I/O, no clock, no randomness."""
