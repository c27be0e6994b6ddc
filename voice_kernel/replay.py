"""Does again what was done before, step by step, and compares the outcomes."""
