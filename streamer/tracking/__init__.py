"""The parts of the tracker: refining, prompting, asking, recognising, and what is known of one object."""
