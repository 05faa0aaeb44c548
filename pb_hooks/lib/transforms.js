// Direct writes to a collection that has a transform: the gateway is asked before the transaction, and
// what it says is done. Nothing else may let such a write through.
//
// A verdict is one of {values}, {errors, message}, {refused: {status, message}} and {failed: reason}.
const { sign, verify } = require(`${__hooks}/lib/signature.js`)
const { find } = require(`${__hooks}/lib/transform_table.js`)

// On one request: the verdicts that were asked for before its transaction began.
const VERDICTS = "gateway.verdicts"
// Names an item of a batch to its record hook, by a number that no client can know.
const ITEM = "x-gateway-item"

function enforce(e, operation) {
  const entry = find(e.app, e.collection, operation)
  if (entry && passesThrough(entry, e.auth)) {
    const verdict = e.app.isTransactional() ? recall(e, operation) : ask(e, entry, operation)
    settle(e.record, entry, operation, verdict)
  }
  e.next()
}

function passesThrough(entry, auth) {
  if (!auth || !auth.isSuperuser()) return true
  return entry.superusers && auth.id !== entry.gateway
}

function ask(e, entry, operation) {
  const item = describe(entry, operation, e.record, e.requestInfo().body)
  return call(e, [{ entry, item }])[0]
}

// One item as JSON text: Go writes it several times as fast as goja would.
function describe(entry, operation, record, body) {
  const sent = operation === "delete" ? [] : Object.keys(body).filter((name) => entry.fields[name])
  return toString({
    collection: entry.collection, operation, sent,
    record: exportVisible(record),
    original: operation === "create" ? null : exportAll(record.original(), entry),
    files: describeFiles(entry, record),
  })
}

function exportVisible(record) {
  return record.clone().ignoreEmailVisibility(true).publicExport()
}

function exportAll(record, entry) {
  return record.ignoreEmailVisibility(true).unhide(...entry.hidden).publicExport()
}

function describeFiles(entry, record) {
  const found = {}
  for (const name of entry.files) {
    const files = record.getUnsavedFiles(name)
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

// Asks for the verdicts of several items in one call.
function call(e, asked) {
  const user = e.auth ? toString(exportVisible(e.auth)) : "null"
  const body = `{"user":${user},"items":[${asked.map(({ item }) => item).join(",")}]}`
  const { url, max_bytes } = asked[0].entry
  const timeout = Math.max(...asked.map(({ entry }) => entry.timeout))
  const verdicts = send(e, url, body, max_bytes, timeout)
  return asked.map((_, i) => Array.isArray(verdicts) ? verdicts[i] : verdicts)
}

// Returns the verdicts, or one for all.
function send(e, url, body, maxBytes, timeout) {
  if (lengthOf(body) > maxBytes) return refuse(413, "The values are too large.")
  const id = `msg_${$security.pseudorandomString(20)}`
  let answer
  try {
    const headers = { ...sign(id, body), "content-type": "application/json" }
    const requestId = e.requestInfo().headers.x_request_id
    if (requestId) headers["x-request-id"] = requestId
    answer = $http.send({ url, method: "POST", body, headers, timeout })
  } catch (error) {
    return { failed: "unreachable", reason: `${error}` }
  }
  return read(answer, id)
}

function read(answer, id) {
  const get = (name) => (answer.headers[HEADERS[name]] || [""])[0]
  if (answer.statusCode === 413) return refuse(413, "The values are too large.")
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

// Does what a verdict says: sets values, or throws the error that PocketBase would.
function settle(record, entry, operation, verdict) {
  if (!verdict) throw unavailable()
  if (verdict.values) return apply(record, entry, operation, verdict.values)
  if (verdict.errors) throw fieldErrors(operation, verdict)
  if (verdict.refused) throw new ApiError(verdict.refused.status, verdict.refused.message, {})
  note(entry, operation, verdict)
  if (verdict.failed === "error") {
    throw new ApiError(500, "Something went wrong while processing the record.", {})
  }
  if (!entry.open || !isAway(verdict)) throw unavailable()
  mark(record, entry, operation, true)
}

// What a client can't bring about: else it could open the door for itself.
function isAway(verdict) {
  return ["unreachable", "timeout", "unavailable"].includes(verdict.failed)
}

function unavailable() {
  return new ApiError(503, "This can't be written right now. Please try again.", {})
}

function note(entry, operation, verdict) {
  $app.logger().error("transform failed", "collection", entry.collection, "operation", operation,
    "outcome", verdict.failed, "reason", verdict.reason || "", "open", entry.open)
}

function fieldErrors(operation, { errors, message }) {
  const data = {}
  for (const name in errors) data[name] = new ValidationError(errors[name].code, errors[name].message)
  return new BadRequestError(message || `Failed to ${operation} record.`, data)
}

function apply(record, entry, operation, values) {
  if (operation === "delete") return
  for (const name in values) {
    if (!maySet(entry.fields[name], name, operation, values[name])) {
      note(entry, operation, { failed: `it returned "${name}", which can't be set` })
      throw new ApiError(500, "Something went wrong while processing the record.", {})
    }
    record.set(name, values[name])
  }
  mark(record, entry, operation, false)
}

function maySet(type, name, operation, value) {
  if (!type || type === "autodate" || type === "password" || name === "tokenKey") return false
  if (name === "id") return operation === "create"
  return type !== "file" || value === null || value.length === 0
}

// A record shows whether it was written without its transform, if it has a field for that.
function mark(record, entry, operation, skipped) {
  if (operation === "delete" || entry.fields.transform_skipped !== "bool") return
  record.set("transform_skipped", skipped)
}

function recall(e, operation) {
  return undefined
}

module.exports = { enforce }
