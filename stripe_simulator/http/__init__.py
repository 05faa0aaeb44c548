"""Stripe's v1 API over HTTP: form bodies in, JSON objects out."""
