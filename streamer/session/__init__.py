"""One run with everything around it, and a person who watches it and may ask for something."""
