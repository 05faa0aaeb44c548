// Which writes pass through the gateway: kept in a collection, and at hand in $app.store().
const { verify } = require(`${__hooks}/lib/signature.js`)

const KEY = "gateway.transforms"

// The entry of a collection and an operation, if there is one. Cheap: every write asks it.
function find(app, collection, operation) {
  const known = app.store().get(KEY)
  const entries = (known && known.table ? known.table : remember(app))[collection.id]
  return entries ? entries[operation] : undefined
}

// Not kept if it was forgotten while it was read: it may be the old one.
function remember(app) {
  const { stamp } = app.store().get(KEY) || { stamp: "" }
  const table = load(app)
  app.store().setFunc(KEY, (now) => (now ? now.stamp : "") === stamp ? { stamp, table } : now)
  return table
}

// After every change of the table, or of a collection that it may name.
function forget(app) {
  app.store().set(KEY, { stamp: $security.pseudorandomString(10) })
}

function load(app) {
  const table = {}
  for (const row of app.findAllRecords("gateway_transforms")) {
    const collection = findCollection(app, row)
    if (collection) (table[collection.id] ||= {})[row.getString("operation")] = describe(row, collection)
  }
  return table
}

function findCollection(app, row) {
  for (const name of [row.getString("collection_ref"), row.getString("collection")]) {
    try {
      if (name !== "") return app.findCollectionByNameOrId(name)
    } catch (_) {
      // Not there, or not yet.
    }
  }
  return null
}

function describe(row, collection) {
  const fields = {}
  for (const field of collection.fields) fields[field.name] = field.type()
  return {
    collection: row.getString("collection"),
    timeout: Math.ceil(row.getFloat("timeout")) + 1,
    open: row.getString("on_failure") === "open",
    ships: row.getBool("files"),
    url: row.getString("url"),
    max_bytes: row.getInt("max_bytes"),
    gateway: row.getString("gateway"),
    superusers: row.getBool("superusers"),
    fields,
    files: Object.keys(fields).filter((name) => fields[name] === "file"),
    hidden: hiddenOf(collection),
  }
}

// What only the original shows; what nobody may see stays hidden.
function hiddenOf(collection) {
  return collection.fields.filter((field) => field.hidden && field.type() !== "password")
    .map((field) => field.name).filter((name) => !(collection.isAuth() && name === "tokenKey"))
}

// The type of a field, "" for any other name; `__proto__` and the like are names that clients send.
function typeOf(entry, name) {
  return Object.prototype.hasOwnProperty.call(entry.fields, name) ? entry.fields[name] : ""
}

// Takes the gateway's table over: what is no longer in it is removed, unless a later gateway brought
// what is stored. Returns the collections that do not exist.
function register(app, auth, headers, body) {
  const id = headers.get("webhook-id")
  if (!verify((name) => headers.get(name), id, body)) {
    throw new BadRequestError("The gateway and PocketBase have no GATEWAY_HOOK_SECRETS in common.")
  }
  const wanted = JSON.parse(body)
  app.runInTransaction((tx) => replace(tx, wanted, auth.id))
  const missing = wanted.transforms.map((transform) => transform.collection)
    .filter((name, i, names) => names.indexOf(name) === i && !idOf(app, name))
  return { missing }
}

function replace(tx, wanted, gateway) {
  const stored = {}
  for (const row of tx.findAllRecords("gateway_transforms")) {
    if (row.getFloat("started") > wanted.started) return
    stored[keyOf(row.getString("collection"), row.getString("operation"))] = row
  }
  const { url, max_bytes, superusers, started } = wanted
  for (const transform of wanted.transforms) {
    const key = keyOf(transform.collection, transform.operation)
    const collection_ref = idOf(tx, transform.collection)
    const values = { ...transform, collection_ref, url, max_bytes, superusers, started, gateway }
    write(tx, stored[key], values)
    delete stored[key]
  }
  for (const key in stored) tx.delete(stored[key])
}

function write(tx, stored, values) {
  const row = stored || new Record(tx.findCollectionByNameOrId("gateway_transforms"))
  if (stored && Object.keys(values).every((name) => row.get(name) === values[name])) return
  row.load(values)
  tx.save(row)
}

function keyOf(collection, operation) {
  return `${operation} ${collection}`
}

function idOf(app, name) {
  try {
    return app.findCollectionByNameOrId(name).id
  } catch (_) {
    return ""
  }
}

module.exports = { find, forget, register, typeOf }
