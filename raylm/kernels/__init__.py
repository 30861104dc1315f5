"""Fused operations that several objectives share. They import torch: import them inside the call that needs them."""
