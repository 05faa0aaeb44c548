// Runs an account's update transform when PocketBase itself changes its e-mail address: the request for a change, its
// confirmation, and a sign-in by OAuth2 that gives the account its first address. So rules about addresses always hold.
// Why here: these are PocketBase's own requests.
const { askOne, describe, passesThrough } = require(`${__hooks}/lib/transforms/call.js`)
const { find, typeOf } = require(`${__hooks}/lib/transforms/table.js`)
const { applyResult } = require(`${__hooks}/lib/transforms/result.js`)

// Runs the transform with the new address and throws its refusal. Returns the address to store, which the transform may
// have changed.
function transformEmail(e, email) {
  const entry = find(e.app, e.collection, "update")
  if (!entry || !passesThrough(entry, e.auth)) return email
  const record = e.record.fresh()
  record.setEmail(email)
  const sent = { email }
  const result = askOne(entry, describe(entry, "update", record, sent, sent), e, e.requestInfo().headers)
  try {
    applyResult(record, entry, "update", result)
  } catch (error) {
    throw atNewEmail(error)
  }
  storeOthers(e.record, entry, result.values || {})
  return record.email()
}

// Other fields that the transform sets are stored with the confirmation.
function storeOthers(record, entry, values) {
  for (const name in values) if (name !== "email" && typeOf(entry, name)) record.set(name, values[name])
}

// Renames the error's field: PocketBase's form calls the address `newEmail`.
function atNewEmail(error) {
  const data = error && error.data
  if (data && data.email) {
    data.newEmail = data.email
    delete data.email
  }
  return error
}

module.exports = { transformEmail }
