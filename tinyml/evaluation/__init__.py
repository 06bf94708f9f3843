"""Evaluation of anything that predicts: opened by what lies there, executed, measured, and kept."""
