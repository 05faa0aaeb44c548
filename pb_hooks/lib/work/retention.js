// Deletes old items that are not open.
// Why here: PocketBase's record API can't delete rows by a condition, and would run hooks for each.
const { TABLES } = require(`${__hooks}/lib/names.js`)

// Deletes at most `limit` items of each status that ended before a time: {done_before, parked_before}, "" for none.
// Returns {changed}, their number.
function prune(app, { limit, done_before, parked_before }) {
  const ends = { done: done_before, cancelled: done_before, parked: parked_before }
  let changed = 0
  for (const status in ends) {
    if (!ends[status]) continue
    // Each statement is a transaction of its own, so that deliveries can commit in between.
    changed += app.db().newQuery(`
      DELETE FROM ${TABLES.work} WHERE id IN (
        SELECT id FROM ${TABLES.work} WHERE status = {:status} AND created < {:before} AND completed_at < {:before}
        ORDER BY created LIMIT {:limit})
    `).bind({ status, limit, before: ends[status] }).execute().rowsAffected()
  }
  return { changed }
}

module.exports = { prune }
