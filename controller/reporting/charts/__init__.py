"""Charts as SVG: one drawing for the screen and for paper."""
