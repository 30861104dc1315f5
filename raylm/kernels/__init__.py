"""What objectives share: losses and attention masks in torch, ways of hiding tokens in numpy.

The files import torch where they need it, so import them inside the call.
"""
