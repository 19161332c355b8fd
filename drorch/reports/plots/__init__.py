"""Pictures for the reports, as SVG: the one door to the plotting library (docs/adr/0015).

Plain values and a language go in, a Picture comes out. It can be read without its colours, and a
page that holds it looks the same on every machine.
"""
