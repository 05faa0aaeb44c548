// A request's body as the client sent it.
// Why here: in `requestInfo().body` PocketBase has replaced modifiers by their results.

// A name may also be written with escapes (`\u002b` is `+`).
const MODIFIER = /"(?:\+[^"\\]*|[^"\\]*[+-])"\s*:/

// Returns the members by name; {} for a JSON body without any modifier. Uploads are null.
function readRaw(e) {
  const { request } = e.requestEvent
  const type = request.header.get("content-type")
  if (/^multipart\/form-data/.test(type)) {
    const raw = readForm(request.multipartForm.value)
    for (const name in request.multipartForm.file) raw[name] ??= null
    return raw
  }
  if (/^application\/x-www-form-urlencoded/.test(type)) return readForm(readPairs(request.postForm.encode()))
  const text = readText(request)
  return MODIFIER.test(text) || text.includes("\\u") ? JSON.parse(text) : {}
}

// Returns the members of any body as they were sent; in its own copy PocketBase casts the values.
function readSent(e) {
  const { request } = e.requestEvent
  const isJson = /^application\/json/.test(request.header.get("content-type"))
  return (isJson ? JSON.parse(readText(request) || "{}") : readRaw(e)) || {}
}

function readText(request) {
  request.body.reread()
  return readerToString(request.body)
}

// Returns the values of `name=value&…` by name. Go's own type for them is not readable in goja.
function readPairs(text) {
  const values = Object.create(null) // A name may be one that every object has.
  for (const pair of text.split("&")) {
    const [name, value] = pair.split("=").map(decode)
    if (name) (values[name] ||= []).push(value)
  }
  return values
}

// Invalid UTF-8 becomes U+FFFD, as in Go.
function decode(text) {
  const spaced = text.replace(/\+/g, " ")
  try {
    return decodeURIComponent(spaced)
  } catch (_) {
    return decodeURIComponent(spaced.replace(/%[89A-F][0-9A-F]/gi, "%EF%BF%BD"))
  }
}

// The body that PocketBase has read, {} instead of null.
function readBody(e) {
  return e.requestInfo().body || {}
}

// Form values are lists of texts; `@jsonPayload` holds JSON objects.
function readForm(values) {
  const raw = {}
  for (const name in values) {
    const texts = [...values[name]]
    if (name === "@jsonPayload") texts.forEach((text) => Object.assign(raw, JSON.parse(text)))
    else raw[name] = texts.length === 1 ? texts[0] : texts
  }
  return raw
}

module.exports = { readBody, readRaw, readSent }
