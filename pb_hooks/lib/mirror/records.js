// Records as the mirror writes them: without validation, because a relation may name what is still to
// come, but as records, so that PocketBase's realtime and record hooks fire.
// Why here: the commit transaction writes records, so that PocketBase's realtime and record hooks run.
const { nameOf } = require(`${__hooks}/lib/names.js`)

// `collection`: its key in names.js.
function findOne(tx, collection, id) {
  return id ? tx.findRecordsByIds(nameOf(collection), [id])[0] : undefined
}

function userExists(tx, user) {
  return !!user && !!findOne(tx, "users", user)
}

// Writes what differs; returns whether anything did.
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
