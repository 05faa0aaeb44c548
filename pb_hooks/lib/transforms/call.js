// Calls the gateway to run transforms: each write is an item and gets a result.
// Why here: PocketBase holds the client's request, and its hook must wait for the result.
//
// A result is one of {values}, {errors, message}, {refused: {status, message}} and {failed: reason,
// cause}; the cause is a sentence for operators.
const { isSigned, sign } = require(`${__hooks}/lib/transforms/signature.js`)
const { leaseOf } = require(`${__hooks}/lib/registrations/lease.js`)
const { MAX_OUTAGE_MS, STEP_MS, shouldRetry, clearOutage } = require(`${__hooks}/lib/transforms/outage.js`)
const { writeClient, writeSent } = require(`${__hooks}/lib/transforms/request_info.js`)
const { readTable, typeOf } = require(`${__hooks}/lib/transforms/table.js`)

const TOO_LARGE = "The values are too large."
// The result of each item if the answer is empty.
const UNCHANGED = { values: {} }
// The beginning of an answer of a gateway that lacks the transform of an item: it has run none of them.
const UNKNOWN = '{"items":[{"failed":"unknown"}'

function passesThrough(entry, auth) {
  if (!auth || !auth.isSuperuser()) return true
  return entry.superusers && auth.id !== entry.gateway
}

// Whether the gateway itself wants a transform for its write, as `gateway transforms run` does.
function isAsked(e, headers) {
  return headers.x_gateway_transform === "run" && e.hasSuperuserAuth()
}

// Returns one item as JSON text. A record serializes itself several times as fast as Go or goja serialize its values;
// names of collections and fields need no escapes.
function describe(entry, operation, record, body, raw) {
  const sent = operation === "delete" ? "" : listFields(entry, body || {})
  const head = `"collection":"${entry.collection}","operation":"${operation}","sent":[${sent}]`
  const original = operation === "create" ? "null" : writeAll(record.original(), entry)
  const values = entry.auth ? writeVisible(record) : JSON.stringify(record)
  // The record's JSON has an original name only if there is a new file.
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

// Includes the e-mail address, which only auth records have.
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
    // Checked before reading: PocketBase accepts larger files than fit into memory.
    for (const file of files) size += file.size
    if (entry.sendsFiles && size > entry.max_bytes) throw new ApiError(413, TOO_LARGE, {})
    found[name] = entry.sendsFiles ? files.map(readFile) : files
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

// Gets the results of several items in one call. `asked` is a list of {entry, item}; `item` is JSON text.
function ask(asked, e, headers) {
  const items = asked.map(({ item }) => item).join(",")
  const timeout = Math.max(...asked.map(({ entry }) => entry.timeout))
  const { results, forAll } = send(pickEntry(asked), items, e, headers, timeout)
  return asked.map((_, i) => results ? results[i] : forAll)
}

// Returns an entry that needs the request, if any does: the request is the same for all.
function pickEntry(asked) {
  return (asked.find(({ entry }) => entry.request) || asked[0]).entry
}

// Gets the result of one item.
function askOne(entry, item, e, headers) {
  const { results, forAll } = send(entry, item, e, headers, entry.timeout)
  return results ? results[0] : forAll
}

// Go keeps two idle connections per host and port: with eight concurrent writes every second call would open a
// connection, which doubles its cost. So each VM writes the port with another number of leading zeros.
const PORT = `:${"0".repeat(Math.floor(Math.random() * 32))}$1/`
const addresses = {}

function addressOf(url) {
  return addresses[url] || (addresses[url] = url.replace(/:(\d+)\//, PORT))
}

// Gives a repeated call a connection of its own: one address may have several gateways behind a load balancer.
function respell(url, number) {
  return url.replace(/:(\d+)\//, `:${"0".repeat(32 + number)}$1/`)
}

// Go's errors before anything was sent.
const NO_CONNECTION = /dial tcp|connection refused|no such host|no route to host/
// Go's errors when the connection ended without an answer, as when the process is killed.
const CUT = /EOF|connection reset|broken pipe|closed idle connection/

// The format that the gateway accepts. With a longer one the call would fail as if no gateway were running.
const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/

// Returns {results}, or {forAll} if one result is for all items.
function send(entry, items, e, headers, timeout) {
  const { auth } = e
  const { x_request_id } = headers
  // Not a copy: users may see their own e-mail address anyway.
  const user = auth ? JSON.stringify(auth.ignoreEmailVisibility(true)) : "null"
  const client = entry.request ? `,"client":${writeClient(entry, e, headers)}` : ""
  const body = `{"user":${user},"items":[${items}]${client}}`
  if (lengthOf(body) > entry.max_bytes) return refuse(413, TOO_LARGE)
  const requestId = x_request_id && REQUEST_ID.test(x_request_id) ? x_request_id : ""
  const answer = post(addressOf(entry.url), body, requestId, timeout)
  return answer.mayRepeat ? sendAgain(answer, entry, body, requestId, timeout) : answer
}

// Repeats a call for a few seconds if no transform has started: no gateway accepts connections, or the one that answers
// has another table. A call whose connection broke is repeated once only: it may itself crash the gateway.
function sendAgain(answer, entry, body, requestId, timeout) {
  const deadline = Date.now() + MAX_OUTAGE_MS
  let cuts = 0
  for (let number = 1; answer.mayRepeat && Date.now() < deadline; number++) {
    if (answer.isCut && ++cuts > 1) return answer
    if (answer.isAway) {
      leaseOf("transforms").end(entry.started)
      if (!shouldRetry()) return answer
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
    return fail("unsigned", `${error}`) // The gateway is not down, so on_failure="open" does not apply.
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
  clearOutage()
  return read(answer, id, headers["webhook-timestamp"])
}

// The answer is signed with the id and timestamp of its call, so an older or foreign answer is not accepted.
function read(answer, id, timestamp) {
  const status = answer.statusCode
  if (status === 413) return refuse(413, TOO_LARGE)
  if (status === 400) return refuse(400, "The values can't be read.")
  // From a load balancer without a gateway: the gateway's own errors are problem documents.
  if ((status === 502 || status === 503) && !isOurs(answer)) {
    return { ...fail("refused", `HTTP ${status}`), mayRepeat: true }
  }
  if (status !== 200 && status !== 204) return fail("refused", `HTTP ${status}: ${readReason(answer)}`)
  const body = status === 200 ? answer.raw : ""
  const signatures = (answer.headers["Webhook-Signature"] || [""])[0] // Go's spelling.
  if (!isSigned(`answer_${id}`, timestamp, signatures, body)) return fail("unsigned", "answer")
  if (status === 204) return { forAll: UNCHANGED }
  if (!body.startsWith(UNKNOWN)) return { results: answer.json.items }
  return { ...fail("unknown", "The gateway that answered has another table of transforms."), mayRepeat: true }
}

function isOurs({ headers }) {
  return `${headers["Content-Type"] || ""}`.includes("application/problem+json")
}

// The reason for the log, for example a wrong clock.
function readReason({ json }) {
  return `${(json && json.detail) || ""}`.slice(0, 200)
}

function lengthOf(text) {
  // A UTF-16 unit takes at most three bytes, so most texts need no counting.
  return text.length * 3 <= 65536 ? text.length : toBytes(text).length
}

function refuse(status, message) {
  return { forAll: { refused: { status, message } } }
}

function fail(failed, reason) {
  return { forAll: { failed, reason } }
}

module.exports = { ask, askOne, describe, isAsked, passesThrough, writeAll }
