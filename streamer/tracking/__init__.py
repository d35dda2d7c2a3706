"""Masks on their objects, from frame to frame: `protocol` says what a tracker is, `memory_tracker` is the default."""
