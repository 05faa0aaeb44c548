// Which writes pass through the gateway: kept in a collection, and at hand in $app.store().
const { NAMES } = require(`${__hooks}/lib/names.js`)
const { findMissingColumns } = require(`${__hooks}/lib/mirror/collections_guard.js`)
const { save } = require(`${__hooks}/lib/transforms/table_rows.js`)

const MIGRATION = "1763856004_transforms.js"
// Columns that say which writes pass through a transform: read as empty, they would open something.
const OPENING = ["collection", "collection_ref", "operation"]
const STAMP = "gateway.transforms.stamp"
const TABLE = "gateway.transforms"
// Where a write may be a dry run, of these; everywhere as long as nothing is said.
const REHEARSES = "gateway.transforms.rehearses"
const [NOWHERE, SOON, EVERYWHERE] = ["nowhere", "soon", "everywhere"]
// One for all of PocketBase.
const store = $app.store()
const BEGAN = "gateway.transforms.began"
store.setFunc(BEGAN, (known) => known || Date.now())
const began = store.get(BEGAN)
// Milliseconds after which no request comes that was sent to the process before.
const LATEST = 30000

// The entry of a collection and an operation, if there is one.
function find(app, collection, operation) {
  const entries = findAll(app, collection)
  return entries ? entries[operation] : undefined
}

// A collection's entries by operation, if it has any.
function findAll(app, { id }) {
  return readTable(app).table[id]
}

// The table by the ids of collections, and whether any write may be a dry run. What the store has is
// Go's, and slow to read: each VM has a copy, good for as long as the stamp is.
let copy = {}
function readTable(app) {
  const stamp = store.get(STAMP) || forget()
  if (copy.stamp === stamp) return copy
  const known = JSON.parse(store.get(TABLE) || "{}")
  if (known.stamp === stamp) return (copy = known)
  const fresh = { stamp, rehearses: store.get(REHEARSES) !== NOWHERE, ...load(app) }
  // A transaction may see what is then rolled back.
  return app.isTransactional() ? fresh : keep(fresh)
}

// What was read under a stamp that has passed in the meantime, no later call takes for the table.
function keep(fresh) {
  store.set(TABLE, JSON.stringify(fresh))
  return (copy = fresh)
}

// After every change of the table, or of a collection that it may name. Returns the new stamp.
function forget() {
  const stamp = $security.pseudorandomString(10)
  store.set(STAMP, stamp)
  return stamp
}

// A collection that was registered before it was there is known by its id from now on.
function adopt(app, { id, name }) {
  const collections = [...app.findAllCollections()]
  if (findNamed(collections, NAMES.transforms)) {
    app.runInTransaction((tx) => {
      for (const row of tx.findAllRecords(NAMES.transforms, $dbx.hashExp({ collection: name }))) {
        if (findById(collections, row.getString("collection_ref"))) continue
        row.set("collection_ref", id)
        save(tx, row)
      }
    })
  }
  forget()
}

// From now on every write may be a dry run: no collection is let pass without a look at that. Whoever
// finds it said already finds the tables of before forgotten too.
function expectDryRuns() {
  if (store.get(REHEARSES) === EVERYWHERE) return
  store.set(REHEARSES, SOON)
  forget()
  store.set(REHEARSES, EVERYWHERE)
}

// One for which the process before gave leave may still come, and must be refused. After that there are
// none until leave is given.
function expectNoDryRuns() {
  if (store.get(REHEARSES) || Date.now() < began + LATEST) return
  store.setFunc(REHEARSES, (known) => known || NOWHERE)
  forget()
}

// An error of the database goes on to whoever asks: what could not be read is not taken for empty.
function load(app) {
  const table = {}
  const collections = [...app.findAllCollections()]
  const kept = findNamed(collections, NAMES.transforms)
  if (!kept && !isApplied(app)) return { table, url: "" } // Its migration is still to come.
  if (!kept) throw refuseAll(app, "is missing")
  const [lost] = findMissingColumns(kept).filter((name) => OPENING.includes(name))
  if (lost) throw refuseAll(app, `has no column ${lost}`)
  const rows = [...app.findAllRecords(NAMES.transforms)]
  const add = (row, collection) => {
    if (collection) (table[collection.id] ||= {})[row.getString("operation")] = describe(row, collection)
  }
  // A collection that was renamed keeps its transform; another one that has the name now has it too.
  for (const row of rows) add(row, findById(collections, row.getString("collection_ref")))
  for (const row of rows) add(row, findNamed(collections, row.getString("collection")))
  return { table, url: rows.length > 0 ? rows[0].getString("url") : "" }
}

function refuseAll(app, what) {
  app.logger().error(`${NAMES.transforms} ${what}: all writes are refused, see docs/operations.md`)
  return new ApiError(503, "This can't be written right now. Please try again.", {})
}

// Whether the collection was there: then its loss must not open what it closed.
function isApplied(app) {
  const found = arrayOf(new DynamicModel({ file: "" }))
  app.db().newQuery("SELECT file FROM _migrations WHERE file = {:file}").bind({ file: MIGRATION }).all(found)
  return found.length > 0
}

function findById(collections, id) {
  return collections.find((collection) => collection.id === id)
}

function findNamed(collections, name) {
  return collections.find((collection) => collection.name === name)
}

function describe(row, collection) {
  const fields = {}
  for (const field of collection.fields) fields[field.name] = field.type()
  const withheld = withheldFrom(collection)
  return {
    collection: row.getString("collection"),
    timeout: Math.ceil(row.getFloat("timeout")) + 1,
    open: row.getString("on_failure") === "open",
    ships: row.getBool("files"),
    request: row.getBool("request"),
    headers: row.getString("headers").split(",").filter(Boolean),
    auth: collection.isAuth(),
    url: row.getString("url"),
    max_bytes: row.getInt("max_bytes"),
    gateway: row.getString("gateway"),
    started: row.getFloat("started"),
    superusers: row.getBool("superusers"),
    fields,
    files: Object.keys(fields).filter((name) => fields[name] === "file" && !withheld.includes(name)),
    withheld,
    hidden: withheld.filter((name) => fields[name] !== "password" && !isTokenKey(collection, name)),
  }
}

// The fields that PocketBase lets no user set. The original shows them, except for what nobody may see.
function withheldFrom(collection) {
  return collection.fields.filter((field) => field.hidden).map((field) => field.name)
    .filter((name) => !(collection.isAuth() && name === "password"))
}

function isTokenKey(collection, name) {
  return collection.isAuth() && name === "tokenKey"
}

// The type of a field, "" for any other name; `__proto__` and the like are names that clients send.
const { hasOwnProperty } = Object.prototype
function typeOf(entry, name) {
  return hasOwnProperty.call(entry.fields, name) ? entry.fields[name] : ""
}

module.exports = {
  adopt, expectDryRuns, expectNoDryRuns, find, findAll, findById, findNamed, forget, readTable, typeOf,
}
