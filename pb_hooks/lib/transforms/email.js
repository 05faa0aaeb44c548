// PocketBase's own changes of an account's e-mail address pass through the account's update transform, so that a rule
// about addresses always holds. They are the request for a change, its confirmation, and
// a sign-in by OAuth2 that gives an account its first address.
const { askOne, describe, passesThrough } = require(`${__hooks}/lib/transforms/call.js`)
const { find, typeOf } = require(`${__hooks}/lib/transforms/table.js`)
const { settle } = require(`${__hooks}/lib/transforms/result.js`)

// Runs the transform with the new address and throws its refusal. Returns the address to store, which the transform may
// have changed.
function judgeEmail(e, email) {
  const entry = find(e.app, e.collection, "update")
  if (!entry || !passesThrough(entry, e.auth)) return email
  const record = e.record.fresh()
  record.setEmail(email)
  const sent = { email }
  const verdict = askOne(entry, describe(entry, "update", record, sent, sent), e, e.requestInfo().headers)
  try {
    settle(record, entry, "update", verdict)
  } catch (error) {
    throw atNewEmail(error)
  }
  storeOthers(e.record, entry, verdict.values || {})
  return record.email()
}

// What else the transform sets is stored with the confirmation.
function storeOthers(record, entry, values) {
  for (const name in values) if (name !== "email" && typeOf(entry, name)) record.set(name, values[name])
}

// PocketBase's form has the address under another name.
function atNewEmail(error) {
  const data = error && error.data
  if (data && data.email) {
    data.newEmail = data.email
    delete data.email
  }
  return error
}

module.exports = { judgeEmail }
