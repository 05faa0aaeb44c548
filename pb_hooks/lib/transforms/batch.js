// Writes that PocketBase makes inside a transaction: the gateway is called once for all of them before the transaction,
// and each record hook finds its result.
// Why here: the transaction holds PocketBase's single writer, and a call from inside it would block all writes.
const { ask, describe, passesThrough, writeAll } = require(`${__hooks}/lib/transforms/call.js`)
const { conflict } = require(`${__hooks}/lib/transforms/errors.js`)
const { isUpload } = require(`${__hooks}/lib/transforms/request_info.js`)
const { find, findAll, typeOf } = require(`${__hooks}/lib/transforms/table.js`)
const { isWritable, refuse } = require(`${__hooks}/lib/transforms/unwritable.js`)

// Key on the request: the results from before its transaction.
const RESULTS = "gateway.results"
// Header that identifies a batch item to its record hook, by a number that no client can know.
const ITEM = "x-gateway-item"
// PocketBase's name of the context in which a sign-up by OAuth2 creates a record.
const SIGN_UP = "oauth2"

// The same as PocketBase's own, which refuses all other URLs.
const ADDRESS = /^\/api\/collections\/([^/?]+)\/records(?:\/([^/?]+))?(\?.*)?$/

function prepareBatch(e) {
  const asked = []
  const written = {}
  e.batch.forEach((request, i) => {
    const target = findTarget(e.app, request)
    if (!target) return
    const isSecond = isWrittenAgain(written, target, request)
    const entry = find(e.app, target.collection, target.operation)
    if (!entry || !passesThrough(entry, e.auth)) return
    const values = readValues(e, request, target, entry)
    if (!mayWrite(e, request, target, values)) return
    const item = describeWrite(e, target, entry, values, request.body)
    if (item) asked.push({ i, entry, ...target, isSecond, item })
  })
  if (asked.length > 0) askForBatch(e, asked)
}

// Whether an earlier item writes the same record; notes it in `written`. A create may choose the id of its record.
function isWrittenAgain(written, { collection, record }, { body }) {
  const id = record ? record.id : body && body.id && toString(body.id)
  if (!id) return false
  const key = `${collection.id} ${id}`
  const isAgain = key in written
  written[key] = true
  return isAgain
}

// Returns {collection, operation, record}; `record` only if it exists.
function findTarget(app, request) {
  const method = request.method.toUpperCase()
  const [, name, id] = ADDRESS.exec(request.url) || []
  const collection = name && findCollection(app, name)
  if (!collection || collection.isView() || !findAll(app, collection)) return null
  const isNamed = method === "PATCH" || method === "DELETE"
  if (isNamed !== !!id) return null
  const body = request.body || {}
  const record = findRecord(app, collection, method === "PUT" && body.id ? toString(body.id) : id)
  if (method === "POST") return { collection, operation: "create" }
  if (method === "PUT") return { collection, operation: record ? "update" : "create", record }
  if (!record) return null
  return { collection, operation: method === "PATCH" ? "update" : "delete", record }
}

function findCollection(app, name) {
  try {
    return app.findCachedCollectionByNameOrId(name)
  } catch (_) {
    return null
  }
}

function findRecord(app, collection, id) {
  return id ? app.findRecordsByIds(collection, [id])[0] : undefined
}

// The values that PocketBase will read from the item, so that the transform gets those that are stored: a file counts
// for a file field only, and users don't set hidden fields.
function readValues(e, request, { collection, record }, entry) {
  const body = { ...request.body }
  for (const name in body) if (isUpload(body[name]) && !takesFiles(entry, name)) delete body[name]
  const values = (record || new Record(collection)).replaceModifiers(body)
  if (!e.hasSuperuserAuth()) for (const name of entry.withheld) delete values[name]
  return values
}

function takesFiles(entry, name) {
  return typeOf(entry, name.replace(/^\+|\+$/, "")) === "file"
}

// PocketBase checks the rules later. A transform must not get a record that the rule hides: its errors could reveal the
// record's values.
function mayWrite(e, request, { collection, operation, record }, values) {
  if (e.hasSuperuserAuth()) return true
  if (operation === "create") return collection.createRule !== null
  const info = e.requestInfo().clone()
  info.context = "batch"
  info.method = operation === "update" ? "PATCH" : "DELETE"
  info.body = values
  info.query = readQuery(request.url)
  for (const name in request.headers || {}) {
    info.headers[name.toLowerCase().replace(/-/g, "_")] = request.headers[name]
  }
  return e.app.canAccessRecord(record, info, collection[`${operation}Rule`])
}

function readQuery(url) {
  const query = {}
  for (const pair of (url.split("?")[1] || "").split("&")) {
    const [name, value] = pair.split("=").map(decode)
    if (name && !(name in query)) query[name] = value || ""
  }
  return query
}

// Malformed values are dropped, as Go does.
function decode(text) {
  try {
    return decodeURIComponent(text.replace(/\+/g, " "))
  } catch (_) {
    return ""
  }
}

// The item with the values as they would be saved, loaded by PocketBase's own form; "" if JSON can't represent them.
function describeWrite(e, { collection, operation, record }, entry, values, raw) {
  const target = record || new Record(collection)
  if (operation === "delete") return describe(entry, operation, target, {})
  const form = new RecordUpsertForm(e.app, target)
  if (e.hasSuperuserAuth()) form.grantSuperuserAccess()
  form.load(values)
  return isWritable(target) ? describe(entry, operation, target, values, raw) : ""
}

function askForBatch(e, asked) {
  const results = ask(asked, e, e.requestInfo().headers)
  const number = $security.randomString(24)
  const stored = {}
  asked.forEach(({ i, entry, collection, operation, record, isSecond }, k) => {
    stored[i] = serialize(entry, collection, operation, record, results[k], isSecond)
    e.batch[i].headers = { ...without(e.batch[i].headers || {}, ITEM), [ITEM]: `${number}.${i}` }
  })
  e.set(RESULTS, { number, stored })
}

function without(headers, name) {
  const rest = {}
  for (const key in headers) if (key.toLowerCase() !== name) rest[key] = headers[key]
  return rest
}

// A result is valid for one write, to the record in the state that the transform got.
function serialize(entry, collection, operation, record, result, isSecond) {
  return JSON.stringify({ target: nameTarget(entry, collection, operation, record), result, isSecond })
}

function nameTarget(entry, collection, operation, record) {
  const original = operation === "create" ? "" : writeAll(record.original(), entry)
  return [operation, collection.id, original].join(" ")
}

// Keeps the result for the one record that a sign-up creates.
function keepResult(e, entry, result) {
  const found = serialize(entry, e.collection, "create", null, result, false)
  e.set(RESULTS, { number: SIGN_UP, stored: { [SIGN_UP]: found } })
}

// Returns the result from before the transaction; a refusal if there is none for this write.
function takeResult(e, entry, operation) {
  const { number, stored } = e.get(RESULTS) || {}
  const [given, i] = readMark(e.requestInfo())
  const found = number && given === number && stored[i] ? JSON.parse(stored[i]) : null
  if (found && found.target === nameTarget(entry, e.collection, operation, e.record)) {
    return found.result
  }
  if (found && !found.isSecond) throw conflict()
  if (!found && operation !== "delete") refuseUnwritable(e, operation)
  const message = "A batch can write each record once, by its id in the URL. Send this write in a request of its own."
  return { refused: { status: 400, message } }
}

// Such an item has no result, because its transform was not asked.
function refuseUnwritable({ app, record }, operation) {
  if (!isWritable(record)) refuse(app, record, operation)
}

function readMark({ context, headers }) {
  return context === SIGN_UP ? [SIGN_UP, SIGN_UP] : (headers.x_gateway_item || "").split(".")
}

module.exports = { keepResult, prepareBatch, takeResult }
