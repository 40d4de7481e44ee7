"""How many damaged files a test draws: a few, or as many as ``$RETRONET_MUTANTS`` says."""

import os

COUNT = int(os.environ.get("RETRONET_MUTANTS", "150"))
