"""The pages a person meets: Checkout, the billing portal, and a list of what is here."""
