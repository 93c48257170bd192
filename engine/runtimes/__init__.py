"""How and where a pod is started; a runtime reports facts and decides nothing."""
