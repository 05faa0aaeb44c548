"""What follows from a webhook and takes longer than its transaction may."""
