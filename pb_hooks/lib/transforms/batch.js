// Writes that PocketBase makes inside of a transaction: the gateway is asked about all of them in one
// call before it begins, and each record hook finds its verdict. The transaction holds PocketBase's one
// writer; a call from inside of it would stall everybody.
const { ask, describe, passesThrough, writeAll } = require(`${__hooks}/lib/transforms/call.js`)
const { conflict } = require(`${__hooks}/lib/transforms/guard.js`)
const { isUpload } = require(`${__hooks}/lib/transforms/request_info.js`)
const { find, findAll, typeOf } = require(`${__hooks}/lib/transforms/table.js`)

// On the request: the verdicts that were asked for before its transaction began.
const VERDICTS = "gateway.verdicts"
// Names a batch's item to its record hook, by a number that no client can know.
const ITEM = "x-gateway-item"
// PocketBase's name of the context in which a sign-up by OAuth2 creates a record.
const SIGN_UP = "oauth2"

// As PocketBase's own: what it does not take, it refuses itself.
const ADDRESS = /^\/api\/collections\/([^/?]+)\/records(?:\/([^/?]+))?(\?.*)?$/

function prepareBatch(e) {
  const asked = []
  e.batch.forEach((request, i) => {
    const target = findTarget(e.app, request)
    const entry = target && find(e.app, target.collection, target.operation)
    if (!entry || !passesThrough(entry, e.auth)) return
    const values = readValues(e, request, target, entry)
    if (!mayWrite(e, request, target, values)) return
    asked.push({ i, entry, ...target, item: load(e, target, entry, values, request.body) })
  })
  if (asked.length > 0) hand(e, asked)
}

// The collection, the operation, and the record that is there already.
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

// The values that PocketBase will read from the item, else a transform judges others than are stored:
// a file counts for a file field only, and users don't set hidden fields.
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

// PocketBase checks the rules later. A transform is not shown a record that its rule would not: the
// errors could tell what is in it.
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

// What is malformed is left out, as Go leaves it out.
function decode(text) {
  try {
    return decodeURIComponent(text.replace(/\+/g, " "))
  } catch (_) {
    return ""
  }
}

// The item with the values as they would be saved: PocketBase's own form loads them.
function load(e, { collection, operation, record }, entry, values, raw) {
  const target = record || new Record(collection)
  if (operation === "delete") return describe(entry, operation, target, {})
  const form = new RecordUpsertForm(e.app, target)
  if (e.hasSuperuserAuth()) form.grantSuperuserAccess()
  form.load(values)
  return describe(entry, operation, target, values, raw)
}

function hand(e, asked) {
  const verdicts = ask(asked, e, e.requestInfo().headers)
  const number = $security.randomString(24)
  const notes = {}
  const targets = {}
  asked.forEach(({ i, entry, collection, operation, record }, k) => {
    const id = record && `${collection.id} ${record.id}`
    const isSecond = !!id && id in targets
    targets[id] = true
    notes[i] = writeNote(entry, collection, operation, record, verdicts[k], isSecond)
    e.batch[i].headers = { ...without(e.batch[i].headers || {}, ITEM), [ITEM]: `${number}.${i}` }
  })
  e.set(VERDICTS, { number, notes })
}

function without(headers, name) {
  const rest = {}
  for (const key in headers) if (key.toLowerCase() !== name) rest[key] = headers[key]
  return rest
}

// A verdict is good for one write, to the record as the transform saw it.
function writeNote(entry, collection, operation, record, verdict, isSecond) {
  return JSON.stringify({ target: nameTarget(entry, collection, operation, record), verdict, isSecond })
}

function nameTarget(entry, collection, operation, record) {
  const original = operation === "create" ? "" : writeAll(record.original(), entry)
  return [operation, collection.id, original].join(" ")
}

// For the one record that a sign-up creates.
function keepVerdict(e, entry, verdict) {
  const note = writeNote(entry, e.collection, "create", null, verdict, false)
  e.set(VERDICTS, { number: SIGN_UP, notes: { [SIGN_UP]: note } })
}

// The verdict that was asked for before the transaction; a refusal when there is none for this write.
function recall(e, entry, operation) {
  const { number, notes } = e.get(VERDICTS) || {}
  const [given, i] = readMark(e.requestInfo())
  const note = number && given === number && notes[i] ? JSON.parse(notes[i]) : null
  if (note && note.target === nameTarget(entry, e.collection, operation, e.record)) {
    return note.verdict
  }
  if (note && !note.isSecond) throw conflict()
  const message = "A record can be written once per batch, and by its address. Write it on its own."
  return { refused: { status: 400, message } }
}

function readMark({ context, headers }) {
  return context === SIGN_UP ? [SIGN_UP, SIGN_UP] : (headers.x_gateway_item || "").split(".")
}

module.exports = { keepVerdict, prepareBatch, recall }
