"""HTTP plumbing that every endpoint shares: problem documents, limits, CORS, documentation."""
