"""The DSP-32C: its floating point, bit for bit."""
