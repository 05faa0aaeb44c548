"""POST /subscriptions/…: change, cancel, resume and discount a subscription."""
