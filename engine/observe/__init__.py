"""Logs, samples and the broadcast: what can be seen without changing anything."""
