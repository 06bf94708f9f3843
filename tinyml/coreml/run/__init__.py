"""Executing a program: the model, its interface, images, states and batches."""
