"""One module for each step, numbered: `vNNNN_what.py`."""
