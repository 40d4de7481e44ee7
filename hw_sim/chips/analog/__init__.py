"""What analog chips share: layers with errors, the layers beside them, chips drawn from a seed."""
