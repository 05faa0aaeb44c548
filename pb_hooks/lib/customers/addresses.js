// E-mail addresses are compared case-insensitively. Two accounts may differ by case only, and anyone can sign up with
// another person's address, so only a verified address decides about ownership.
// Why here: ownership is decided in the commit transaction and when PocketBase verifies an address.
const { NAMES, TABLES } = require(`${__hooks}/lib/names.js`)

// The user who has verified an address: the exact spelling first, otherwise the oldest account.
function findUserByEmail(app, email) {
  if (!email) return null
  const found = arrayOf(new DynamicModel({ id: "" }))
  app.db().newQuery(`
    SELECT id FROM ${TABLES.users} WHERE email = {:email} COLLATE NOCASE AND verified = true
    ORDER BY email != {:email}, _rowid_ LIMIT 1
  `).bind({ email }).all(found)
  return found.length ? app.findRecordsByIds(NAMES.users, [found[0].id])[0] || null : null
}

// A hash of the address, which can be kept after the user is deleted.
function hashEmail(email) {
  return $security.sha256(email.toLowerCase())
}

// The address without a tag: mails to `me+shop@example.com` and `me@example.com` reach one mailbox. For trials only; an
// owner is found by the whole address.
function withoutTag(email) {
  return email.replace(/^([^+@]+)\+[^@]*@/, "$1@")
}

module.exports = { findUserByEmail, hashEmail, withoutTag }
