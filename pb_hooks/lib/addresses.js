// E-mail addresses: compared without regard to case. Two accounts may differ by case only, and anybody may
// sign up with another person's address, so only a verified one says whose something is.

// The user who has verified an address: the one with the very spelling, else the oldest account.
function findUserByEmail(app, email) {
  if (!email) return null
  const found = arrayOf(new DynamicModel({ id: "" }))
  app.db().newQuery(`
    SELECT id FROM users WHERE email = {:email} COLLATE NOCASE AND verified = true
    ORDER BY email != {:email}, _rowid_ LIMIT 1
  `).bind({ email }).all(found)
  return found.length ? app.findRecordsByIds("users", [found[0].id])[0] || null : null
}

// An address that can be kept when its user is gone.
function hashEmail(email) {
  return $security.sha256(email.toLowerCase())
}

module.exports = { findUserByEmail, hashEmail }
