// Protects the rows of `gateway_transforms`: a deleted or edited row would let writes pass without their transform
// until a gateway registers again. Only the registration and the hooks change them, not API, dashboard or truncate.
// Why here: API and dashboard write directly at PocketBase.

// Set on a record that the gateway's own code saves or deletes; not a column.
const OWN = "@gateway"
// Columns that decide which writes pass through a transform, and what a failure does.
const GUARDING = ["collection", "collection_ref", "operation", "on_failure", "superusers", "gateway"]

function save(app, row) {
  row.set(OWN, true)
  app.save(row)
}

function remove(app, row) {
  row.set(OWN, true)
  app.delete(row)
}

function refuseDeletion(record) {
  if (!record.get(OWN)) throw refusal()
}

function refuseChange(record) {
  const before = record.original()
  if (record.get(OWN) || GUARDING.every((name) => record.get(name) === before.get(name))) return
  throw refusal()
}

function refusal() {
  return new BadRequestError("The gateway maintains the table of transforms: to change it, change the app (GATEWAY_APP).")
}

module.exports = { refuseChange, refuseDeletion, remove, save }
