"""The FastAPI application: what a team declares, how it is loaded, started and stopped."""
