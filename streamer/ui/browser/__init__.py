"""The view in the browser: a small server in a thread of its own, and one page."""
