// Reads and writes records of the mirror without validation, because a relation may name a row that arrives later.
// Why here: the commit transaction writes records instead of SQL, so that PocketBase's realtime and record hooks run.
const { nameOf } = require(`${__hooks}/lib/names.js`)

// `collection`: its key in names.js.
function findOne(tx, collection, id) {
  return id ? tx.findRecordsByIds(nameOf(collection), [id])[0] : undefined
}

function userExists(tx, user) {
  return !!user && !!findOne(tx, "users", user)
}

// By collection key, its columns without the object, and the version of the collection that has them.
const columns = {}

function columnsWithoutObject(collection, key) {
  const version = `${collection.updated}`
  if (columns[key]?.version !== version) {
    columns[key] = { version, names: [...collection.fields.fieldNames()].filter((name) => name !== "stripe_object") }
  }
  return columns[key].names
}

// Records whose Stripe object is about to be replaced, without it: PocketBase would parse each object that it reads,
// which takes as long as reading all other columns.
function findWithoutObject(tx, key, ids) {
  const collection = tx.findCachedCollectionByNameOrId(nameOf(key))
  const found = arrayOf(new Record())
  tx.recordQuery(collection).select(...columnsWithoutObject(collection, key)).andWhere($dbx.in("id", ...ids)).all(found)
  return found
}

// Writes the values that differ. Returns whether any did.
function update(tx, record, values) {
  if (Object.keys(values).every((name) => record.get(name) === values[name])) return false
  record.load(values)
  tx.saveNoValidate(record)
  return true
}

// The columns of a row that the gateway sends (lib/mirror/commit.js). They come as JSON text, which PocketBase reads
// several times faster than a hook: only few rows are looked into. The lists and hashes of JSON columns are text in it.
function valuesOf(row) {
  return (row.values ||= JSON.parse(row.text))
}

module.exports = { findOne, findWithoutObject, update, userExists, valuesOf }
