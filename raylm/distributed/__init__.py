"""Ray Train around the engine, and the driver of a run: the only floor that starts training."""
