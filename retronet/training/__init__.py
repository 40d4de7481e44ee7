"""Training as a recipe says, pass by pass, and what is seen of it."""
