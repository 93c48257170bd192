"""What the user writes: a file or Python becomes a checked `Topology`."""
