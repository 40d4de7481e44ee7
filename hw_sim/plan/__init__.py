"""Which format where: plans, how they are calibrated, their files."""
