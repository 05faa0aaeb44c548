// Errors of writes to a collection with a transform.
// Why here: the client gets them as the answer of its request to PocketBase.

// No gateway could run the transform: another try may succeed.
function unavailable() {
  return new ApiError(503, "The record can't be written right now. Please try again.", {})
}

// The transform failed; the reason is in the log. `cause` is for an operator; clients get none.
function failed(cause) {
  return new ApiError(500, cause || "Something went wrong while processing the record.", {})
}

// Another write changed the record in the meantime.
function conflict() {
  return new ApiError(409, "The record was changed by another request. Load it and try again.", {})
}

module.exports = { conflict, failed, unavailable }
