// Which writes pass through the gateway: kept in a collection, and at hand in $app.store().
const { findFault } = require(`${__hooks}/lib/signature.js`)

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
  const fresh = { stamp, rehearses: store.get(REHEARSES) !== NOWHERE, table: load(app) }
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
  if (!findNamed([...app.findAllCollections()], "gateway_transforms")) return
  const rows = app.findRecordsByFilter(
    "gateway_transforms", "collection = {:name} && collection_ref = ''", "", 0, 0, { name })
  for (const row of rows) {
    row.set("collection_ref", id)
    app.save(row)
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
  if (!findNamed(collections, "gateway_transforms")) return table // Its migration is still to come.
  for (const row of app.findAllRecords("gateway_transforms")) {
    const collection = findCollection(collections, row)
    if (collection) (table[collection.id] ||= {})[row.getString("operation")] = describe(row, collection)
  }
  return table
}

function findCollection(collections, row) {
  const id = row.getString("collection_ref")
  return collections.find((collection) => collection.id === id)
    || findNamed(collections, row.getString("collection"))
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
    auth: collection.isAuth(),
    url: row.getString("url"),
    max_bytes: row.getInt("max_bytes"),
    gateway: row.getString("gateway"),
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

// Takes the gateway's table over: what is no longer in it is removed, unless a later gateway brought
// what is stored. Returns {missing, overruled}: the collections that do not exist, and whether that later
// gateway's table is another one.
function register(app, auth, headers, body) {
  const id = headers.get("webhook-id")
  const fault = findFault(id, headers.get("webhook-timestamp"), headers.get("webhook-signature"), body)
  if (fault) throw new BadRequestError(fault)
  const wanted = JSON.parse(body)
  let overruled = false
  app.runInTransaction((tx) => { overruled = !replace(tx, wanted, auth.id) })
  const collections = [...app.findAllCollections()]
  const missing = wanted.transforms.map((transform) => transform.collection)
    .filter((name, i, names) => names.indexOf(name) === i && !findNamed(collections, name))
  return { missing, overruled }
}

// Returns whether the table is the stored one in the end.
function replace(tx, wanted, gateway) {
  const stored = {}
  const rows = [...tx.findAllRecords("gateway_transforms")]
  for (const row of rows) stored[keyOf(row.getString("collection"), row.getString("operation"))] = row
  if (rows.some((row) => row.getFloat("started") > wanted.started)) return isSame(stored, wanted.transforms)
  const { url, max_bytes, superusers, started } = wanted
  const collections = [...tx.findAllCollections()]
  for (const transform of wanted.transforms) {
    const key = keyOf(transform.collection, transform.operation)
    const values = { ...transform, url, max_bytes, superusers, started, gateway }
    // Where none has the name, it may have been renamed: then its id stays what it was.
    const collection = findNamed(collections, transform.collection)
    if (collection) values.collection_ref = collection.id
    write(tx, stored[key], values)
    delete stored[key]
  }
  for (const key in stored) tx.delete(stored[key])
  return true
}

function isSame(stored, transforms) {
  return Object.keys(stored).length === transforms.length && transforms.every((transform) => {
    const row = stored[keyOf(transform.collection, transform.operation)]
    return !!row && Object.keys(transform).every((name) => row.get(name) === transform[name])
  })
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

module.exports = { adopt, expectDryRuns, expectNoDryRuns, find, findAll, forget, readTable, register, typeOf }
