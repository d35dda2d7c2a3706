"""The constants of depth propagation, each with its unit and its source: arithmetic, or the sweep of docs/depth.md."""

SAMPLE_STEP_PX = 4
"""Every so many pixels of the grid enter alignment and range. Sweep: every pixel is no better at 16 times the work."""
KEPT_SHARE = 0.8
"""Of the pixels, those that fit best are kept from round to round. Sweep: 0.95 flickers more (TAE .568 for .512)."""
ROUNDS = 3
"""Rounds of leaving out what fits worst. Sweep: one flickers more (TAE .557), five change nothing."""
CARRIED_WEIGHT = 0.5
"""Of the carried map where both mean the same surface: the mean of two estimates with independent noise. Sweep: less is
worse in every figure, 0.75 better (AbsRel .0482 for .0486), at the price of following a change more slowly."""
SAME_SURFACE_SHARE = 0.08
"""Difference at which two maps mean the same surface by e^-1, as a share of the map's extent. Sweep: half of it is
worse, twice as much a little better."""
UNCOVERED_TRUST = 0.5
"""Below this trust (0 to 1) a pixel does not look like where it was pulled from. Sweep: within the noise."""
UNCOVERED_CROWDING = 1.5
"""Above this many pixels pulled from one place, something was uncovered there. Sweep: 1.2 is worse on scenes."""
STEP_SHARE = 0.05
"""A step in depth of this share of the range is an edge between two things. Sweep: within the noise."""
BACKGROUND_REACH_PX = 8
"""On the half level: how far beside a hole its background is looked for. Sweep: 16 is worse on scenes."""
HOLE_BLUR_PX = 7
"""On the half level: holes are smoothed by it. Sweep: 3 is worse on scenes."""
RANGE_MEMORY = 0.85
"""Of the range of before at each new map, for coloring only: a step is followed to a fifth within ten maps (.85^10)."""
STATS_MEMORY = 0.7
"""Of an object's quartiles of before on each frame: a step is followed to a tenth within six frames (.7^6)."""
MIN_STATS_PX, MAX_STATS_PX = 4, 1000
"""Sampled pixels from which there are quartiles, and of which a sample is enough (its median is off by 1/60 of the
spread at most)."""
OUTLIERS = 0.02, 0.98
"""Ranks of the far and near end of a map but for its outliers. Sweep: within the noise."""
KNOWN_MEMORY_S = 4.0
"""A point of known depth counts less by e^-1 after so long [s]. Sweep (docs/meters.md): 2 to 8 are one."""
KNOWN_KEPT = 400
"""So many of the newest points are kept: a line of a lidar has that many, and two numbers are looked for."""
PAIRS_TRIED = 300
"""Pairs of points among which a consensus is looked for: with half of the points wrong, all of 300 pairs miss two right
ones with a chance of (3/4)^300, 1e-37."""
TUKEY = 4.685
"""Standard deviations from which a point counts nothing: 95 % efficient on clean points (Beaton and Tukey, 1974)."""
REWEIGHTINGS = 10
"""Rounds of Tukey's weights: from a consensus on they settle in fewer."""
MODEL_ERROR, MODEL_ERROR_WORTH = 0.06, 3.0
"""What a relative model is off by after the best scale and shift (AbsRel of the bundled one: .046 on `rgbd`, .035 and
.068 on scenes 0 and 3), believed like so many points: two points agree with any line and tell nothing of the model."""
MIN_SPREAD_SHARE = 0.1
"""Of the map's extent, that the known depths must spread over: a scale from points of one depth is noise."""
GROUND_COLUMNS, GROUND_ROWS = 24, 24
"""Samples across and down the frame where the ground is looked for: some hundred below the horizon."""
GROUND_HEIGHTS = 1.2, 12.0
"""The ground is looked for between so many heights of the camera ahead: nearer is rarely in view, and farther 1 degree
of pitch is a fifth of the distance."""
PITCH_ERROR_DEG = 1.0
"""One standard deviation of a pitch that somebody measured: a bubble level tells as much."""
