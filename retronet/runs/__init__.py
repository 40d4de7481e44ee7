"""Runs on disk: their folder, their checkpoints, what they depend on."""
