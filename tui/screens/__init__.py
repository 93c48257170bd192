"""Screens: each owns a layout and binds slices of the fleet to widgets."""
