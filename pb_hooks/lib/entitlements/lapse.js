// Marks entitlements that have ended by time alone, such as a pass: no event writes their rows then. The mark makes the
// domain event `entitlement.lost` (lib/effects/triggers.js). Rules compare `active_until` and do not need it.
// Why here: one statement, and a later purchase removes the mark in the transaction of its rows.
const { fromNow } = require(`${__hooks}/lib/dates.js`)
const { TABLES } = require(`${__hooks}/lib/names.js`)

const ENDED = "active = true AND lapsed = false AND active_until <= {:now}"

// Returns {changed}, the number of rows. Without any, only reads.
function markLapsed(app) {
  const now = fromNow(0)
  const found = arrayOf(new DynamicModel({ id: "" }))
  app.db().newQuery(`SELECT id FROM ${TABLES.entitlements} WHERE ${ENDED} LIMIT 1`).bind({ now }).all(found)
  if (found.length === 0) return { changed: 0 }
  const result = app.db().newQuery(`UPDATE ${TABLES.entitlements} SET lapsed = true WHERE ${ENDED}`).bind({ now }).execute()
  return { changed: result.rowsAffected() }
}

module.exports = { markLapsed }
