"""What users of this project write themselves; nothing of the project imports it."""
