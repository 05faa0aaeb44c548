// The text of a commit's body. PocketBase wraps a body twice: by a reader that holds it to the route's bodyLimit, and
// by one that copies what is read, for who reads it again, which takes longer than the reading. Nobody does here:
// so it is read from below both, if the length was announced and has been held against the limit.
// Why here: the body is PocketBase's request.
const MAX_BYTES = 32 << 20

function readBody(e) {
  const { body, contentLength } = e.request
  const inner = contentLength >= 0 && body.readCloser?.readCloser
  // One more, so that what is too long is refused by PocketBase, and not cut off here.
  return readerToString(inner || body, MAX_BYTES + 1)
}

module.exports = { MAX_BYTES, readBody }
