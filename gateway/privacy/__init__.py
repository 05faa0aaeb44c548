"""Export and deletion of a person's data: a user, or a guest by e-mail address."""
