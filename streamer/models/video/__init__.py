"""The memory of SAM 2 and its kin, which follows objects from frame to frame."""
