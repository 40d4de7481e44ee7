"""NET32K: one-bit synapses that join into wider ones."""
