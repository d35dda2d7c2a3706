"""One slow kind of model each, all behind one protocol."""
