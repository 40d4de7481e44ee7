"""Graf's chip of 54 neurons (GRAF87): template matching for the first method of 1989."""
