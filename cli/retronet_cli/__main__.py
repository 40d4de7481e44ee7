"""``python -m retronet_cli`` is ``retronet``."""

try:
    from retronet_cli.start import main
except KeyboardInterrupt:
    raise SystemExit(130) from None

main()
