"""Image classifiers for 64x64 images, one file each, from scratch; a new file here is a new architecture."""
