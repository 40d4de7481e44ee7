"""Records to what a person or a program reads. Views compute nothing."""
