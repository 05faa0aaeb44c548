"""What a customer may do after the purchase: the portal, their subscriptions, and usage."""
