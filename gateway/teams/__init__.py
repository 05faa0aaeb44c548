"""Seats: the quantity of a subscription item follows the number of an organization's members."""
