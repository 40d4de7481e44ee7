"""An integer network as files for other tools: golden vectors, ONNX graphs, a circuit in SystemVerilog.

One module a target. Each is a pure function from a network of integers, and what it makes of some digits, to
the bytes of files; `hw_sim.export.files` writes them.
"""
