"""Masks on their objects, from frame to frame: see `protocol` for what a tracker is, `memory_tracker` for the default."""
