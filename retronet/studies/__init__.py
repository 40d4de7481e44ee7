"""Many runs: seeds, and published figures beside those found."""
