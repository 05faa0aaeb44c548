"""HTTP plumbing that every endpoint shares: problems, dependencies, limits, documentation."""
