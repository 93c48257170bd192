"""The process that starts, reaps and ends all others; single-threaded, holds no state of deployments."""
