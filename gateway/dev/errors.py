"""What can go wrong while the parts start or run, each as one sentence for a person."""


class StackError(Exception):
    """A part cannot start or go on; the text is the sentence to show."""
