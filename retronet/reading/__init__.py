"""From a picture of digits to digits as the network reads them: threshold, components, segments, normalisation."""
