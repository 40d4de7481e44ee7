"""The chips of the period: their descriptions, their arithmetic, and what a network costs on them."""
