// Empties the payloads of old events, and deletes rows of very old ones. A failed or unresolved event stays as it is
// until it is handled.
// Why here: PocketBase's record API can't change rows by a condition, and would run hooks for each.
const { TABLES } = require(`${__hooks}/lib/names.js`)

const OLD = "created < {:before} AND outcome NOT IN ('failed', 'unresolved')"

// Prunes at most `limit` events; with `dry_run` only counts them. `rows`: delete the rows, otherwise empty their
// payloads. Returns {pruned}.
function prune(app, { before, limit, dry_run, rows }) {
  const old = rows ? OLD : `payload != '' AND ${OLD}`
  if (dry_run) {
    const found = new DynamicModel({ count: 0 })
    app.db().newQuery(`SELECT count(*) AS count FROM ${TABLES.stripe_events} WHERE ${old}`).bind({ before }).one(found)
    return { pruned: found.count }
  }
  // Each statement is a transaction of its own, so that deliveries can commit in between.
  const change = rows ? `DELETE FROM ${TABLES.stripe_events}` : `UPDATE ${TABLES.stripe_events} SET payload = ''`
  const result = app.db().newQuery(`
    ${change} WHERE id IN (SELECT id FROM ${TABLES.stripe_events} WHERE ${old} ORDER BY created LIMIT {:limit})
  `).bind({ before, limit }).execute()
  return { pruned: result.rowsAffected() }
}

module.exports = { prune }
