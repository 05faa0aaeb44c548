// Empties the payloads of old events. Their rows stay for ever, so that a redelivery still changes
// nothing; one that failed keeps its payload until it is handled.
const { TABLES } = require(`${__hooks}/lib/names.js`)

const OLD = "payload != '' AND created < {:before} AND outcome != 'failed'"

// Returns how many events were pruned, at most `limit`; with `dry_run` how many there are to prune.
function prune(app, { before, limit, dry_run }) {
  if (dry_run) {
    const found = new DynamicModel({ count: 0 })
    app.db().newQuery(`SELECT count(*) AS count FROM ${TABLES.stripe_events} WHERE ${OLD}`)
      .bind({ before }).one(found)
    return { pruned: found.count }
  }
  // One statement is a transaction of its own: webhooks get their turn between two of them.
  const result = app.db().newQuery(`
    UPDATE ${TABLES.stripe_events} SET payload = ''
    WHERE id IN (SELECT id FROM ${TABLES.stripe_events} WHERE ${OLD} ORDER BY created LIMIT {:limit})
  `).bind({ before, limit }).execute()
  // What was told of them goes as well: an event that is stored is never told again.
  app.db().newQuery(`
    DELETE FROM ${TABLES.notifications} WHERE id IN (
      SELECT id FROM ${TABLES.notifications}
      WHERE status IN ('sent', 'failed', 'skipped', 'sending') AND created < {:before} LIMIT {:limit})
  `).bind({ before, limit }).execute()
  return { pruned: result.rowsAffected() }
}

module.exports = { prune }
