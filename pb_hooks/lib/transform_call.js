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
  const sent = operation === "delete" ? [] : listFields(entry, body || {})
  const head = `"collection":${JSON.stringify(entry.collection)},"operation":"${operation}"`
  const original = operation === "create" ? "null" : writeAll(record.original(), entry)
  const values = entry.auth ? writeVisible(record) : JSON.stringify(record)
  const files = entry.files.length > 0 ? toString(describeFiles(entry, record)) : "{}"
  return `{${head},"sent":${JSON.stringify(sent)},"record":${values},"original":${original},"files":${files}}`
}

function listFields(entry, body) {
  const names = []
  for (const name of Object.keys(body)) if (typeOf(entry, name)) names.push(name)
  return names
}

// With the e-mail address, which other records don't have.
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
    if (files.length === 0) continue
    // Before they are read: PocketBase itself takes larger ones than fit into memory.
    for (const file of files) size += file.size
    if (entry.ships && size > entry.max_bytes) throw new ApiError(413, TOO_LARGE, {})
    found[name] = entry.ships ? files.map(readFile) : files
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
function ask(asked, auth, headers) {
  const items = asked.map(({ item }) => item).join(",")
  const timeout = Math.max(...asked.map(({ entry }) => entry.timeout))
  const { verdicts, forAll } = send(asked[0].entry, items, auth, headers, timeout)
  return asked.map((_, i) => verdicts ? verdicts[i] : forAll)
}

// The same for one.
function askOne(entry, item, auth, headers) {
  const { verdicts, forAll } = send(entry, item, auth, headers, entry.timeout)
  return verdicts ? verdicts[0] : forAll
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

// Returns {verdicts}, or {forAll} where one holds for all items.
function send(entry, items, auth, { x_request_id }, timeout) {
  // Users see their own e-mail address anyway, so this is no copy.
  const user = auth ? JSON.stringify(auth.ignoreEmailVisibility(true)) : "null"
  const body = `{"user":${user},"items":[${items}]}`
  if (lengthOf(body) > entry.max_bytes) return refuse(413, TOO_LARGE)
  const id = `msg_${$security.pseudorandomString(20)}`
  let headers, answer
  try {
    headers = sign(id, body)
  } catch (error) {
    return fail("unsigned", `${error}`) // The gateway is not away: nothing is let through for that.
  }
  try {
    headers["content-type"] = "application/json"
    if (x_request_id && REQUEST_ID.test(x_request_id)) headers["x-request-id"] = x_request_id
    answer = $http.send({ url: addressOf(entry.url), method: "POST", body, headers, timeout })
  } catch (error) {
    return fail("unreachable", `${error}`)
  }
  return read(answer, `answer_${id}`)
}

function read({ statusCode, headers, raw, json }, id) {
  if (statusCode === 413) return refuse(413, TOO_LARGE)
  if (statusCode === 400) return refuse(400, "The values can't be read.")
  if (statusCode !== 200) return fail("refused", `HTTP ${statusCode}`)
  // As Go spells them. The id need not be there: the signature is good for no other.
  const timestamp = (headers["Webhook-Timestamp"] || [""])[0]
  const signatures = (headers["Webhook-Signature"] || [""])[0]
  if (!verify(id, timestamp, signatures, raw)) return fail("unsigned", "answer")
  return { verdicts: json.items }
}

function lengthOf(text) {
  // Three bytes are the most that one unit of UTF-16 takes: seldom does it need counting.
  return text.length * 3 <= 65536 ? text.length : toBytes(text).length
}

function refuse(status, message) {
  return { forAll: { refused: { status, message } } }
}

function fail(failed, reason) {
  return { forAll: { failed, reason } }
}

module.exports = { ask, askOne, describe, passesThrough, writeAll }
