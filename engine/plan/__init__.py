"""Pure planning: a `Topology` becomes pods with names, roles, ports, addresses and GPUs."""
