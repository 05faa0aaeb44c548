// Stores the effects that a gateway registers, and installs their triggers.
// Why here: the triggers work without a gateway, and two gateways that register at once are ordered by a transaction.
const { leaseOf } = require(`${__hooks}/lib/registrations/lease.js`)
const { describeCollections } = require(`${__hooks}/lib/registrations/collections.js`)
const { areInstalled, install, readAll, replaceAll, toRow } = require(`${__hooks}/lib/effects/table.js`)

const lease = leaseOf("effects")

// A gateway registers when it starts, and renews its lease by the same call. Returns {overruled, collections}: whether
// another gateway's effects are in force and differ from these; and the collections that these name.
function register(app, { started, effects }) {
  const collections = [...app.findAllCollections()]
  const rows = effects.map((effect) => toRow(effect, collections, started))
  return { overruled: !takeOver(app, started, rows, collections), collections: describe(app, collections, rows) }
}

function describe(app, collections, rows) {
  const refs = {}
  for (const { collection, collection_ref } of readAll(app)) refs[collection] = collection_ref
  return describeCollections(collections, rows.map(({ collection }) => ({ name: collection, id: refs[collection] })))
}

// Installs the effects if they may replace the current ones. Returns whether they are in force. Only a change takes
// PocketBase's writer.
function takeOver(app, started, rows, collections) {
  if (lease.isRenewed(started)) return true
  const stored = readAll(app)
  if (!mayReplace(started, stored)) return isSame(stored, rows)
  if (isCurrent(app, started, stored, rows, collections)) lease.renew(started)
  else app.runInTransaction((tx) => replace(tx, started, rows))
  return lease.isRenewed(started)
}

function mayReplace(started, stored) {
  return lease.mayTakeOver(started, Math.max(0, ...stored.map((row) => row.started)))
}

function isCurrent(app, started, stored, rows, collections) {
  return stored.every((row) => row.started === started) && isSame(stored, rows) && areInstalled(app, stored, collections)
}

// A renamed collection is found by its id as long as it exists.
function replace(tx, started, rows) {
  const stored = readAll(tx)
  if (!mayReplace(started, stored)) return
  const collections = [...tx.findAllCollections()]
  const refs = {}
  for (const row of stored) if (collections.some(({ id }) => id === row.collection_ref)) refs[row.id] = row.collection_ref
  const wanted = rows.map((row) => ({ ...row, collection_ref: refs[row.id] || row.collection_ref }))
  replaceAll(tx, wanted)
  install(tx, wanted, collections)
  lease.renew(started)
}

function isSame(stored, rows) {
  const describe = ({ handler, collection, event, operations, fields, key, tries, at_most_once }) =>
    JSON.stringify([handler, collection, event, operations, fields, key, tries, at_most_once])
  const known = stored.map(describe).sort()
  return known.length === rows.length && rows.map(describe).sort().every((each, i) => each === known[i])
}

module.exports = { register }
