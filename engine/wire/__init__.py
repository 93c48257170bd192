"""The Open Inference Protocol as pods, routers and clients share it."""
