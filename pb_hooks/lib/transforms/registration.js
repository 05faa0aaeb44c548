// Stores the table that a gateway registers in `gateway_transforms`.
// Why here: the hooks read the table without a gateway, and two gateways that register at once are ordered by a
// transaction.
const { NAMES } = require(`${__hooks}/lib/names.js`)
const { findFault } = require(`${__hooks}/lib/transforms/signature.js`)
const { describeCollections } = require(`${__hooks}/lib/registrations/collections.js`)
const lease = require(`${__hooks}/lib/registrations/lease.js`).leaseOf("transforms")
const { remove, save } = require(`${__hooks}/lib/transforms/table_rows.js`)
const { findById, findNamed } = require(`${__hooks}/lib/transforms/table.js`)

// A gateway registers when it starts, and renews its lease by the same call. Returns {overruled, collections}: whether
// another gateway's table is in force and differs from this one; and the collections of the wanted table.
function register(app, auth, headers, body) {
  const id = headers.get("webhook-id")
  const fault = findFault(id, headers.get("webhook-timestamp"), headers.get("webhook-signature"), body)
  if (fault) throw new BadRequestError(fault)
  const wanted = JSON.parse(body)
  const overruled = !takeOver(app, wanted, auth.id)
  return { overruled, collections: describe(app, wanted.transforms) }
}

// The collections of the wanted table, also if one was renamed.
function describe(app, transforms) {
  const stored = index([...app.findAllRecords(NAMES.transforms)])
  const wanted = transforms.map(({ collection: name, operation }) =>
    ({ name, id: stored[keyOf(name, operation)]?.getString("collection_ref") }))
  return describeCollections([...app.findAllCollections()], wanted)
}

// Stores the wanted table if it may replace the current one. Returns whether it is in force.
function takeOver(app, wanted, gateway) {
  if (lease.isRenewed(wanted.started)) return true
  if (isStored(app, wanted, gateway)) {
    lease.renew(wanted.started)
    return true
  }
  let inForce = false
  app.runInTransaction((tx) => {
    const rows = [...tx.findAllRecords(NAMES.transforms)]
    const stored = Math.max(0, ...rows.map((row) => row.getFloat("started")))
    const mayReplace = lease.mayTakeOver(wanted.started, stored)
    if (mayReplace) replace(tx, wanted, gateway, rows)
    inForce = mayReplace || isSame(index(rows), wanted.transforms)
    if (mayReplace) lease.renew(wanted.started)
  })
  return inForce
}

function isStored(app, wanted, gateway) {
  const rows = [...app.findAllRecords(NAMES.transforms)]
  const stored = index(rows)
  const collections = [...app.findAllCollections()]
  return rows.length === wanted.transforms.length && wanted.transforms.every((transform) => {
    const row = stored[keyOf(transform.collection, transform.operation)]
    return !!row && isEqual(row, valuesOf(wanted, transform, gateway, collections, row))
  })
}

// Rows that the wanted table lacks are removed.
function replace(tx, wanted, gateway, rows) {
  const stored = index(rows)
  const collections = [...tx.findAllCollections()]
  for (const transform of wanted.transforms) {
    const key = keyOf(transform.collection, transform.operation)
    write(tx, stored[key], valuesOf(wanted, transform, gateway, collections, stored[key]))
    delete stored[key]
  }
  for (const key in stored) remove(tx, stored[key])
}

function valuesOf({ url, max_bytes, superusers, started, headers = "" }, transform, gateway, collections, row) {
  const values = { ...transform, url, max_bytes, superusers, started, headers, gateway }
  // A renamed collection is found by its id as long as it exists.
  const isKnown = row && findById(collections, row.getString("collection_ref"))
  const collection = !isKnown && findNamed(collections, transform.collection)
  return collection ? { ...values, collection_ref: collection.id } : values
}

function index(rows) {
  const stored = {}
  for (const row of rows) stored[keyOf(row.getString("collection"), row.getString("operation"))] = row
  return stored
}

function isSame(stored, transforms) {
  return Object.keys(stored).length === transforms.length && transforms.every((transform) => {
    const row = stored[keyOf(transform.collection, transform.operation)]
    return !!row && isEqual(row, transform)
  })
}

function isEqual(row, values) {
  return Object.keys(values).every((name) => row.get(name) === values[name])
}

function write(tx, stored, values) {
  const row = stored || new Record(tx.findCollectionByNameOrId(NAMES.transforms))
  if (stored && isEqual(row, values)) return
  row.load(values)
  save(tx, row)
}

function keyOf(collection, operation) {
  return `${operation} ${collection}`
}

module.exports = { register }
