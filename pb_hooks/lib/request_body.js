// A request's body as the client sent it: in `requestInfo().body` PocketBase has put the results of modifiers.

const MODIFIER = /"(?:\+[^"\\]*|[^"\\]*[+-])"\s*:/

// The members by their names; of a JSON body without any modifier, none. Uploads are null.
function readRaw(e) {
  const { request } = e.requestEvent
  const type = request.header.get("content-type")
  if (/^multipart\/form-data/.test(type)) {
    const raw = readForm(request.multipartForm.value)
    for (const name in request.multipartForm.file) raw[name] ??= null
    return raw
  }
  if (/^application\/x-www-form-urlencoded/.test(type)) return readForm(request.postForm)
  const text = readText(request)
  return MODIFIER.test(text) ? JSON.parse(text) : {}
}

// The members of any body by their names, with the values that were sent: PocketBase casts them in its own copy.
function readSent(e) {
  const { request } = e.requestEvent
  const isJson = /^application\/json/.test(request.header.get("content-type"))
  return (isJson ? JSON.parse(readText(request) || "{}") : readRaw(e)) || {}
}

function readText(request) {
  request.body.reread()
  return readerToString(request.body)
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

module.exports = { readRaw, readSent }
