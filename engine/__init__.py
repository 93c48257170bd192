"""The engine: runs deployments and owns all live state; it has no screen."""
