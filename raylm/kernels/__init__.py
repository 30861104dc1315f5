"""Fused operations that objectives share. They import torch, so import them inside the call."""
