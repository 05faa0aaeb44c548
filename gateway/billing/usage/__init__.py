"""POST /usage: meter events for usage-based prices."""
