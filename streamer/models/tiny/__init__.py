"""Models small enough to come with the package: a SAM with a memory and a DPT that run in real time on a CPU."""
