"""What tests share: slow references, small networks, runs trained for a moment."""
