"""The training loop: pure torch, the same on one CPU, under torchrun and in Ray's workers."""
