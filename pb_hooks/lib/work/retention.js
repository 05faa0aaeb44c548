// Deletes old items that are not open.
// Why here: PocketBase's record API can't delete rows by a condition, and would run hooks for each.
const { fromNow } = require(`${__hooks}/lib/dates.js`)
const { TABLES } = require(`${__hooks}/lib/names.js`)

const DAY_SECONDS = 86400
// How long items stay: parked ones until an operator has had time to decide.
const DAYS = { done: 7, cancelled: 7, parked: 90 }

// Deletes at most `limit` items of each status. Returns {changed}, their number.
function prune(app, { limit }) {
  let changed = 0
  for (const status in DAYS) {
    // Each statement is a transaction of its own, so that deliveries can commit in between.
    changed += app.db().newQuery(`
      DELETE FROM ${TABLES.work} WHERE id IN (
        SELECT id FROM ${TABLES.work} WHERE status = {:status} AND created < {:before} AND completed_at < {:before}
        ORDER BY created LIMIT {:limit})
    `).bind({ status, limit, before: fromNow(-DAYS[status] * DAY_SECONDS) }).execute().rowsAffected()
  }
  return { changed }
}

module.exports = { prune }
