"""A web browser driven by words: pages opened, read, clicked and filled in, and never by guess."""
