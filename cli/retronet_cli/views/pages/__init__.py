"""Pages: one HTML file each, with all that it needs in it."""
