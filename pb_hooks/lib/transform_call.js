// Asks the gateway what to do with writes: each is an item, and is given a verdict.
//
// A verdict is one of {values}, {errors, message}, {refused: {status, message}} and {failed: reason}.
const { sign, verify } = require(`${__hooks}/lib/signature.js`)
const { typeOf } = require(`${__hooks}/lib/transform_table.js`)

const TOO_LARGE = "The values are too large."

function passesThrough(entry, auth) {
  if (!auth || !auth.isSuperuser()) return true
  return entry.superusers && auth.id !== entry.gateway
}

// One item as JSON text. A record writes itself several times as fast as Go or goja write its values.
function describe(entry, operation, record, body) {
  const sent = operation === "delete" ? [] : Object.keys(body || {}).filter((name) => typeOf(entry, name))
  const head = JSON.stringify({ collection: entry.collection, operation, sent })
  const original = operation === "create" ? "null" : writeAll(record.original(), entry)
  const files = toString(describeFiles(entry, record))
  return `${head.slice(0, -1)},"record":${writeVisible(record)},"original":${original},"files":${files}}`
}

function writeVisible(record) {
  return JSON.stringify(record.clone().ignoreEmailVisibility(true))
}

function writeAll(record, entry) {
  return JSON.stringify(record.ignoreEmailVisibility(true).unhide(...entry.hidden))
}

function describeFiles(entry, record) {
  const found = {}
  let size = 0
  for (const name of entry.files) {
    const files = record.getUnsavedFiles(name)
    // Before they are read: PocketBase itself takes larger ones than fit into memory.
    for (const file of files) size += file.size
    if (entry.ships && size > entry.max_bytes) throw new ApiError(413, TOO_LARGE, {})
    if (files.length > 0) found[name] = entry.ships ? files.map(readFile) : files
  }
  return found
}

// Go writes bytes as base64.
function readFile(file) {
  const reader = file.reader.open()
  try {
    const content = toBytes(reader, file.size)
    return { name: file.name, originalName: file.originalName, size: file.size, content }
  } finally {
    reader.close()
  }
}

// Asks for the verdicts of several items in one call: `asked` holds the entry of each, and its text.
function ask(e, asked) {
  const user = e.auth ? writeVisible(e.auth) : "null"
  const body = `{"user":${user},"items":[${asked.map(({ item }) => item).join(",")}]}`
  const { url, max_bytes } = asked[0].entry
  const timeout = Math.max(...asked.map(({ entry }) => entry.timeout))
  const verdicts = send(e, url, body, max_bytes, timeout)
  return asked.map((_, i) => Array.isArray(verdicts) ? verdicts[i] : verdicts)
}

// Go keeps two idle connections open for each host and port: with eight writes at a time every second
// call would make a connection, which doubles what it costs. So each VM spells the port in its own way.
const PORT = `:${"0".repeat(Math.floor(Math.random() * 32))}$1/`
const addresses = {}

function addressOf(url) {
  return addresses[url] || (addresses[url] = url.replace(/:(\d+)\//, PORT))
}

// As the gateway takes it. A longer one would end the call, which then looks as if nobody were there.
const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/

// Returns the verdicts, or one for all.
function send(e, url, body, maxBytes, timeout) {
  if (lengthOf(body) > maxBytes) return refuse(413, TOO_LARGE)
  const id = `msg_${$security.pseudorandomString(20)}`
  let answer
  try {
    const headers = sign(id, body)
    headers["content-type"] = "application/json"
    const requestId = e.requestInfo().headers.x_request_id || ""
    if (REQUEST_ID.test(requestId)) headers["x-request-id"] = requestId
    answer = $http.send({ url: addressOf(url), method: "POST", body, headers, timeout })
  } catch (error) {
    return { failed: "unreachable", reason: `${error}` }
  }
  return read(answer, id)
}

function read(answer, id) {
  const get = (name) => (answer.headers[HEADERS[name]] || [""])[0]
  if (answer.statusCode === 413) return refuse(413, TOO_LARGE)
  if (answer.statusCode === 400) return refuse(400, "The values can't be read.")
  if (answer.statusCode !== 200) return { failed: "refused", reason: `HTTP ${answer.statusCode}` }
  if (!verify(get, `answer_${id}`, answer.raw)) return { failed: "unsigned", reason: "answer" }
  return JSON.parse(answer.raw).items
}

// As Go spells them.
const HEADERS = {
  "webhook-id": "Webhook-Id", "webhook-timestamp": "Webhook-Timestamp",
  "webhook-signature": "Webhook-Signature",
}

function lengthOf(text) {
  // Three bytes are the most that one unit of UTF-16 takes: seldom does it need counting.
  return text.length * 3 <= 65536 ? text.length : toBytes(text).length
}

function refuse(status, message) {
  return { refused: { status, message } }
}

module.exports = { ask, describe, passesThrough, writeAll }
