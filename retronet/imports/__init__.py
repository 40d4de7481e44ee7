"""Networks trained elsewhere: reading their files, and fitting their arrays to a network."""
