"""/health and /ready: liveness and readiness."""
