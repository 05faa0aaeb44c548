"""Work on all records of a collection: run a transform again, export, import."""
