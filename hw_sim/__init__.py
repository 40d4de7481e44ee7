"""The hardware: number formats, low-precision arithmetic bit for bit, and what it costs."""
