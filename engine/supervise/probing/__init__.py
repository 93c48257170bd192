"""Asking pods: one file for each kind of probe. What the answers mean is decided in `probes`."""
