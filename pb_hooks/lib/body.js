// The text of a request's body, on a route with a bodyLimit. PocketBase copies whatever is read for who reads
// it again, which takes longer than the reading. Nobody does here: so it is read from below the copy, and from
// below the limit, where the length was announced and has been held against that.
function readBody(e, limit) {
  const { body, contentLength } = e.request
  // One more, so that what is too long is refused by PocketBase, and not cut off here.
  return readerToString((contentLength >= 0 && body.readCloser?.readCloser) || body, limit + 1)
}

module.exports = { readBody }
