"""A worked example of logic on PocketBase's own records: blog posts."""
