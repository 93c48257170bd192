"""What runs inside a pod: executor, worker, head, gateway. Knows nothing of the supervisor."""
