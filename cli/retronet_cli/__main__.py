"""``python -m retronet_cli`` is ``retronet``."""

from retronet_cli.main import main

main()
