// Asks the gateway what to do with writes: each is an item, and is given a verdict.
//
// A verdict is one of {values}, {errors, message}, {refused: {status, message}} and {failed: reason}.
const { isSigned, sign } = require(`${__hooks}/lib/transforms/signature.js`)
const { end: endLease } = require(`${__hooks}/lib/transforms/lease.js`)
const { HIDDEN_MS, STEP_MS, mayReturn, noteAnswer } = require(`${__hooks}/lib/transforms/outage.js`)
const { writeClient, writeSent } = require(`${__hooks}/lib/transforms/request_info.js`)
const { readTable, typeOf } = require(`${__hooks}/lib/transforms/table.js`)

const TOO_LARGE = "The values are too large."
// What an empty answer says of each item.
const UNCHANGED = { values: {} }
// How an answer begins when the gateway lacks the transform of one item: it has run none.
const UNKNOWN = '{"items":[{"failed":"unknown"}'

function passesThrough(entry, auth) {
  if (!auth || !auth.isSuperuser()) return true
  return entry.superusers && auth.id !== entry.gateway
}

// One item as JSON text. A record writes itself several times as fast as Go or goja write its values;
// names of collections and fields need no escapes.
function describe(entry, operation, record, body, raw) {
  const sent = operation === "delete" ? "" : listFields(entry, body || {})
  const head = `"collection":"${entry.collection}","operation":"${operation}","sent":[${sent}]`
  const original = operation === "create" ? "null" : writeAll(record.original(), entry)
  const values = entry.auth ? writeVisible(record) : JSON.stringify(record)
  // A new file writes its original name into the record's JSON: else there is none to look for.
  const files = values.includes('"originalName":') ? describeFiles(entry, record) : "{}"
  const extra = entry.request ? `,"values":${writeSent(entry, raw || body || {})}` : ""
  return `{${head},"record":${values},"original":${original},"files":${files}${extra}}`
}

function listFields(entry, body) {
  let text = ""
  const names = Object.keys(body)
  for (let i = 0; i < names.length; i++) {
    if (typeOf(entry, names[i])) text += `${text && ","}"${names[i]}"`
  }
  return text
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
  return toString(found)
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
function ask(asked, e, headers) {
  const items = asked.map(({ item }) => item).join(",")
  const timeout = Math.max(...asked.map(({ entry }) => entry.timeout))
  const { verdicts, forAll } = send(pickEntry(asked), items, e, headers, timeout)
  return asked.map((_, i) => verdicts ? verdicts[i] : forAll)
}

// One that asks for the request, if any does: it is the same for all.
function pickEntry(asked) {
  return (asked.find(({ entry }) => entry.request) || asked[0]).entry
}

// The same for one.
function askOne(entry, item, e, headers) {
  const { verdicts, forAll } = send(entry, item, e, headers, entry.timeout)
  return verdicts ? verdicts[0] : forAll
}

// Go keeps two idle connections open for each host and port: with eight writes at a time every second
// call would make a connection, which doubles what it costs. So each VM spells the port in its own way.
const PORT = `:${"0".repeat(Math.floor(Math.random() * 32))}$1/`
const addresses = {}

function addressOf(url) {
  return addresses[url] || (addresses[url] = url.replace(/:(\d+)\//, PORT))
}

// A repeated call gets a connection of its own: behind one address there may be several gateways.
function respell(url, number) {
  return url.replace(/:(\d+)\//, `:${"0".repeat(32 + number)}$1/`)
}

// Go's errors before anything was sent.
const NO_CONNECTION = /dial tcp|connection refused|no such host|no route to host/
// Its errors when the other side ended the connection without an answer, as a process does that is killed.
const CUT = /EOF|connection reset|broken pipe|closed idle connection/

// As the gateway takes it. A longer one would end the call, which then looks as if nobody were there.
const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/

// Returns {verdicts}, or {forAll} where one holds for all items.
function send(entry, items, e, headers, timeout) {
  const { auth } = e
  const { x_request_id } = headers
  // Users see their own e-mail address anyway, so this is no copy.
  const user = auth ? JSON.stringify(auth.ignoreEmailVisibility(true)) : "null"
  const client = entry.request ? `,"client":${writeClient(entry, e, headers)}` : ""
  const body = `{"user":${user},"items":[${items}]${client}}`
  if (lengthOf(body) > entry.max_bytes) return refuse(413, TOO_LARGE)
  const requestId = x_request_id && REQUEST_ID.test(x_request_id) ? x_request_id : ""
  const answer = post(addressOf(entry.url), body, requestId, timeout)
  return answer.mayRepeat ? sendAgain(answer, entry, body, requestId, timeout) : answer
}

// Repeats a call for a few seconds if no transform has started: no gateway accepts connections, or the one that answers
// has another table. A call that was cut off is repeated once: it may be what ends the gateway.
function sendAgain(answer, entry, body, requestId, timeout) {
  const deadline = Date.now() + HIDDEN_MS
  let cuts = 0
  for (let number = 1; answer.mayRepeat && Date.now() < deadline; number++) {
    if (answer.isCut && ++cuts > 1) return answer
    if (answer.isAway) {
      endLease(entry.started)
      if (!mayReturn()) return answer
    }
    sleep(STEP_MS)
    answer = post(respell(readTable($app).url || entry.url, number), body, requestId, timeout)
  }
  return answer
}

function post(url, body, requestId, timeout) {
  const id = `msg_${$security.pseudorandomString(20)}`
  let headers, answer
  try {
    headers = sign(id, body)
  } catch (error) {
    return fail("unsigned", `${error}`) // The gateway is not away: nothing is let through for that.
  }
  try {
    headers["content-type"] = "application/json"
    if (requestId) headers["x-request-id"] = requestId
    answer = $http.send({ url, method: "POST", body, headers, timeout })
  } catch (error) {
    const isAway = NO_CONNECTION.test(`${error}`)
    const isCut = !isAway && CUT.test(`${error}`)
    return { ...fail("unreachable", `${error}`), mayRepeat: isAway || isCut, isAway, isCut }
  }
  noteAnswer()
  return read(answer, id, headers["webhook-timestamp"])
}

// The answer is signed under the id and the time of its call, so it can't be another's, or an older one.
function read(answer, id, timestamp) {
  const status = answer.statusCode
  if (status === 413) return refuse(413, TOO_LARGE)
  if (status === 400) return refuse(400, "The values can't be read.")
  // A balancer's, while no gateway is behind it: ours are problem documents.
  if ((status === 502 || status === 503) && !isOurs(answer)) {
    return { ...fail("refused", `HTTP ${status}`), mayRepeat: true }
  }
  if (status !== 200 && status !== 204) return fail("refused", `HTTP ${status}: ${readReason(answer)}`)
  const body = status === 200 ? answer.raw : ""
  const signatures = (answer.headers["Webhook-Signature"] || [""])[0] // As Go spells it.
  if (!isSigned(`answer_${id}`, timestamp, signatures, body)) return fail("unsigned", "answer")
  if (status === 204) return { forAll: UNCHANGED }
  if (!body.startsWith(UNKNOWN)) return { verdicts: answer.json.items }
  return { ...fail("unknown", "The gateway that answered has another table."), mayRepeat: true }
}

function isOurs({ headers }) {
  return `${headers["Content-Type"] || ""}`.includes("application/problem+json")
}

// For the log: the gateway may name a clock that is wrong, for example.
function readReason({ json }) {
  return `${(json && json.detail) || ""}`.slice(0, 200)
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
