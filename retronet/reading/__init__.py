"""From a picture of digits to what the network reads: threshold, components, segments, normalisation."""
