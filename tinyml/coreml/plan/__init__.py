"""From a program to steps that can be executed, and what makes them faster."""
