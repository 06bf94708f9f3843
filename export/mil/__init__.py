"""The Core ML reference runtime: executes a saved ML Program on any machine."""
