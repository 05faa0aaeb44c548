// Reads the text of a commit's body.
// Why here: PocketBase wraps the body of its request twice: in a reader that enforces the route's bodyLimit, and in one
// that copies it for later reads, which takes longer than the reading. No later read happens here, so the inner body is
// read if its announced length was checked against the limit.
const { MAX_BYTES } = require(`${__hooks}/lib/requests/limits.js`)

function readBody(e) {
  const { body, contentLength } = e.request
  const inner = contentLength >= 0 && body.readCloser?.readCloser
  // One byte more, so that PocketBase refuses a longer body instead of reading a cut one.
  return readerToString(inner || body, MAX_BYTES + 1)
}

module.exports = { readBody }
