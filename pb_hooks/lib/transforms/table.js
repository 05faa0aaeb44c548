// The table of transforms: which writes pass through the gateway. Stored in a collection and cached in $app.store().
// Why here: hooks decide by it on every write, also while no gateway runs.
const { NAMES } = require(`${__hooks}/lib/names.js`)
const { findMissingColumns } = require(`${__hooks}/lib/mirror/collections_guard.js`)
const { unavailable } = require(`${__hooks}/lib/transforms/errors.js`)
const { save } = require(`${__hooks}/lib/transforms/table_rows.js`)

const MIGRATION = "1763856004_transforms.js"
// Columns that decide which writes pass through a transform: without them, writes would bypass it.
const OPENING = ["collection", "collection_ref", "operation"]
const VERSION = "gateway.transforms.version"
const TABLE = "gateway.transforms"
// Whether writes of collections without transforms are checked for a dry run: one of these; always if unset.
const DRY_RUNS = "gateway.transforms.dry_runs"
const [NEVER, SOON, ALWAYS] = ["never", "soon", "always"]
// Shared by all VMs of this process.
const store = $app.store()
const STARTED = "gateway.transforms.started"
store.setFunc(STARTED, (known) => known || Date.now())
const started = store.get(STARTED)
// Maximum age of a request that was sent to the process before a restart.
const MAX_DELAY_MS = 30000

// Returns the entry of a collection and operation, or undefined.
function find(app, collection, operation) {
  const entries = findAll(app, collection)
  return entries ? entries[operation] : undefined
}

// Returns a collection's entries by operation, or undefined.
function findAll(app, { id }) {
  return readTable(app).table[id]
}

// Returns the table by ids of collections, and whether any write may be a dry run. Reading Go's store is slow, so each
// VM has a copy, which is valid until the version changes.
let copy = {}
function readTable(app) {
  const version = store.get(VERSION) || invalidate()
  if (copy.version === version) return copy
  const known = JSON.parse(store.get(TABLE) || "{}")
  if (known.version === version) return (copy = known)
  const fresh = { version, allowsDryRuns: store.get(DRY_RUNS) !== NEVER, ...load(app) }
  // A transaction may see rows that are then rolled back.
  return app.isTransactional() ? fresh : keep(fresh)
}

// Caches the table under the version that was current before reading: later calls ignore an outdated one.
function keep(fresh) {
  store.set(TABLE, JSON.stringify(fresh))
  return (copy = fresh)
}

// Called after every change of the table or of a collection. Returns the new version.
function invalidate() {
  const version = $security.pseudorandomString(10)
  store.set(VERSION, version)
  return version
}

// Stores the id of a new collection whose transform was registered before it existed.
function linkCollection(app, { id, name }) {
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
  invalidate()
}

// From now on every write is checked for a dry run. Once ALWAYS is stored, all cached tables are already invalid.
function expectDryRuns() {
  if (store.get(DRY_RUNS) === ALWAYS) return
  store.set(DRY_RUNS, SOON)
  invalidate()
  store.set(DRY_RUNS, ALWAYS)
}

// A dry run with a token of the former process may still arrive, and must be refused. After that there are none until a
// token is issued.
function expectNoDryRuns() {
  if (store.get(DRY_RUNS) || Date.now() < started + MAX_DELAY_MS) return
  store.setFunc(DRY_RUNS, (known) => known || NEVER)
  invalidate()
}

// Reads the table. Errors of the database are thrown: an unreadable table is not an empty one.
function load(app) {
  const table = {}
  const collections = [...app.findAllCollections()]
  const kept = findNamed(collections, NAMES.transforms)
  if (!kept && !isApplied(app)) return { table, url: "" } // Its migration has not run yet.
  if (!kept) throw refuseAll(app, "is missing")
  const [lost] = findMissingColumns(kept).filter((name) => OPENING.includes(name))
  if (lost) throw refuseAll(app, `has no column ${lost}`)
  const rows = [...app.findAllRecords(NAMES.transforms)]
  const add = (row, collection) => {
    if (collection) (table[collection.id] ||= {})[row.getString("operation")] = describe(row, collection)
  }
  // A renamed collection keeps its transform; a new one of the former name has it too.
  for (const row of rows) add(row, findById(collections, row.getString("collection_ref")))
  for (const row of rows) add(row, findNamed(collections, row.getString("collection")))
  return { table, url: rows.length > 0 ? rows[0].getString("url") : "" }
}

function refuseAll(app, what) {
  app.logger().error(`${NAMES.transforms} ${what}: all writes are refused, see docs/operations.md`)
  return unavailable()
}

// Whether the collection once existed: then its loss must not let writes bypass transforms.
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
    sendsFiles: row.getBool("files"),
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

// Fields that users can't set. `original` has them, except for secrets.
function withheldFrom(collection) {
  return collection.fields.filter((field) => field.hidden).map((field) => field.name)
    .filter((name) => !(collection.isAuth() && name === "password"))
}

function isTokenKey(collection, name) {
  return collection.isAuth() && name === "tokenKey"
}

// The type of a field, "" for any other name; clients may send names such as `__proto__`.
const { hasOwnProperty } = Object.prototype
function typeOf(entry, name) {
  return hasOwnProperty.call(entry.fields, name) ? entry.fields[name] : ""
}

module.exports = {
  expectDryRuns, expectNoDryRuns, find, findAll, findById, findNamed, invalidate, linkCollection, readTable, typeOf,
}
