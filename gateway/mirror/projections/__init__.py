"""What each Stripe object means as a PocketBase row: one small pure function per object."""
