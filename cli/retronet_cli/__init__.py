"""The command line of retronet: options in, records out, views on the terminal."""
