"""The constants of depth propagation, each with its unit and its source.

They were chosen on `streamer eval-depth` (7-Scenes) and on rendered scenes, whose depth is known exactly.
"""

SAMPLE_STEP_PX = 4
"""Every so many pixels of the grid enter the alignment and the range; every pixel gives the same to three digits."""
KEPT_SHARE = 0.8
"""Of the pixels, those that fit best are kept from round to round: what moved is seldom more than a fifth."""
ROUNDS = 3
"""Rounds of leaving out what fits worst; more change nothing."""
CARRIED_WEIGHT = 0.5
"""Of the carried map where both maps mean the same surface: the mean of two estimates with independent noise."""
SAME_SURFACE_SHARE = 0.08
"""Difference at which two maps mean the same surface by e^-1, as a share of the map's own extent."""
UNCOVERED_TRUST = 0.5
"""Below this trust (0 to 1) a pixel does not look like where it was pulled from."""
UNCOVERED_CROWDING = 1.5
"""Above this many pixels pulled from one place, something was uncovered there."""
STEP_SHARE = 0.05
"""A step in depth of this share of the range is an edge between two things."""
BACKGROUND_REACH_PX = 8
"""On the half level: how far beside a hole its background is looked for, about the motion of a few frames."""
HOLE_BLUR_PX = 7
"""On the half level: single pixels are rather noise, and a hole with hard borders is uglier than the smear."""
RANGE_MEMORY = 0.85
"""Of the range of before at each new map, so that colors do not flicker: a step is followed within some ten maps."""
STATS_MEMORY = 0.7
"""Of an object's quartiles of before on each frame: a step is followed within some six frames."""
MIN_STATS_PX, MAX_STATS_PX = 4, 1000
"""Pixels on every second row and column from which quartiles mean something, and of which a sample is enough."""
OUTLIERS = 0.02, 0.98
"""Ranks of the far and near end of a map but for its outliers."""
