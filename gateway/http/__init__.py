"""HTTP code that all endpoints share: problem documents, limits, CORS, request ids, /docs."""
