// Empties the payloads of old events. Their rows stay for ever, so that a redelivery still changes nothing. A failed
// or unresolved event keeps its payload until it is handled.
// Why here: PocketBase's record API can't update rows by a condition, and would run hooks for each.
const { TABLES } = require(`${__hooks}/lib/names.js`)

const OLD = "payload != '' AND created < {:before} AND outcome NOT IN ('failed', 'unresolved')"

// Prunes at most `limit` events; with `dry_run` only counts them. Returns {pruned}.
function prune(app, { before, limit, dry_run }) {
  if (dry_run) {
    const found = new DynamicModel({ count: 0 })
    app.db().newQuery(`SELECT count(*) AS count FROM ${TABLES.stripe_events} WHERE ${OLD}`)
      .bind({ before }).one(found)
    return { pruned: found.count }
  }
  // Each statement is a transaction of its own, so that deliveries can commit in between.
  const result = app.db().newQuery(`
    UPDATE ${TABLES.stripe_events} SET payload = ''
    WHERE id IN (SELECT id FROM ${TABLES.stripe_events} WHERE ${OLD} ORDER BY created LIMIT {:limit})
  `).bind({ before, limit }).execute()
  return { pruned: result.rowsAffected() }
}

module.exports = { prune }
