// The latest tick of each schedule (`gateway_schedules`), and the run that a new tick adds to the queue.
// Why here: all gateways report each tick, and one transaction decides which of them adds the run.
const { NOW } = require(`${__hooks}/lib/dates.js`)
const { TABLES } = require(`${__hooks}/lib/names.js`)
const { enqueue } = require(`${__hooks}/lib/work/queue.js`)

// Stores ticks {id, name, cron, timezone, tick, item}. Returns {added}, the number of runs. Ticks that are stored already
// take no write lock.
function storeTicks(app, ticks) {
  const isStored = ticks.every(({ id, tick }) => readTick(app, id) >= tick)
  let added = 0
  if (!isStored) app.runInTransaction((tx) => { for (const each of ticks) added += storeTick(tx, each) })
  return { added }
}

// A schedule begins with its first tick after it is known: the one before is stored without a run.
function storeTick(tx, { id, name, cron, timezone, tick, item }) {
  const stored = readTick(tx, id)
  if (stored >= tick) return 0
  tx.db().newQuery(`
    INSERT INTO ${TABLES.schedules} (id, name, cron, timezone, latest, created)
    VALUES ({:id}, {:name}, {:cron}, {:timezone}, {:tick}, ${NOW})
    ON CONFLICT (id) DO UPDATE SET latest = excluded.latest
  `).bind({ id, name, cron, timezone, tick }).execute()
  if (!stored || !item) return 0
  replaceWaiting(tx, item)
  return enqueue(tx, [item])
}

// A run that has not started is replaced by the one of a later tick.
function replaceWaiting(tx, { handler, key }) {
  tx.db().newQuery(`
    UPDATE ${TABLES.work} SET status = 'cancelled', error = 'a later tick is due', completed_at = ${NOW}
    WHERE handler = {:handler} AND key = {:key} AND status = 'waiting' AND attempts = 0
  `).bind({ handler, key }).execute()
}

// The stored tick, "" for an unknown schedule.
function readTick(app, id) {
  const found = arrayOf(new DynamicModel({ latest: "" }))
  app.db().newQuery(`SELECT latest FROM ${TABLES.schedules} WHERE id = {:id}`).bind({ id }).all(found)
  return found.length ? found[0].latest : ""
}

module.exports = { storeTicks }
