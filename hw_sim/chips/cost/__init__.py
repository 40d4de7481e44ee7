"""What a network costs on a chip, modelled."""
