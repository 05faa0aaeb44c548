"""`gateway doctor`: checks each assumption about a deployment (docs/doctor.md)."""
