"""The files of a new project (`gateway new`)."""
