"""Runs on Ray clusters and in background processes: launch, look, stop. Imports neither Ray nor torch.

`clusters` knows where jobs may go, `owned` starts and stops the local cluster, `ray_jobs` submits to any of
them over plain HTTP, `local` runs without Ray.
"""
