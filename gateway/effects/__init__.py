"""Effects: a team's functions that run after changes of records (`Gateway.after`)."""
