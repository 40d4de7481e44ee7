"""Pictures: views like any other, drawn by matplotlib, which is imported when a picture is.

A module a family; each of its ``…_figure`` functions takes the records of a library verb and a theme, and
returns a figure. `retronet_cli.pictures.paper` turns figures into bytes, the same ones each time.
"""
