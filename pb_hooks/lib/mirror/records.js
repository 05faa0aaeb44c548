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

module.exports = { findOne, update, userExists, valuesOf }
