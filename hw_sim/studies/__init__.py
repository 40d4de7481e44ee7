"""Many simulations: sweeps, bit budgets, comparisons, retraining."""
