"""Depth and a camera make three dimensions."""
