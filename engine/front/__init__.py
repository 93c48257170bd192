"""What `Deployment` and `Topology` are made of: keywords read as a file's keys, facts of a plan, life on an engine."""
