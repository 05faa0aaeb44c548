"""The parts of the example shop; app.py puts them together."""
