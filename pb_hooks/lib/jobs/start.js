// Stores a new job, unless its id is taken or its user has too many.
// Why here: two requests at once must not pass the same limit, or store the same Idempotency-Key twice.
const { fromNow, toTime } = require(`${__hooks}/lib/dates.js`)
const { NAMES, TABLES } = require(`${__hooks}/lib/names.js`)
const { runTransaction } = require(`${__hooks}/lib/database/transaction.js`)
const { enqueue } = require(`${__hooks}/lib/work/queue.js`)

// Returns {outcome, payload, retry_after}: created, existing (with the payload of that row), too_many_open or
// too_many_started (with the seconds until the next one may start). A limit of 0 is none.
function start(app, { max_open, max_started, period_seconds, ...row }) {
  let answer = { outcome: "created", payload: row.payload, retry_after: 0 }
  runTransaction(app, (tx) => {
    const [known] = tx.findRecordsByIds(NAMES.work, [row.id])
    if (known) {
      answer = { ...answer, outcome: "existing", payload: known.getString("payload") }
    } else if (max_open > 0 && countOpen(tx, row) >= max_open) {
      answer = { ...answer, outcome: "too_many_open" }
    } else if (max_started > 0 && countStarted(tx, row, period_seconds) >= max_started) {
      answer = { ...answer, outcome: "too_many_started", retry_after: secondsUntilFree(tx, row, max_started, period_seconds) }
    } else {
      enqueue(tx, [{ ...row, kind: "job" }])
    }
  })
  return answer
}

const OWN = `kind = 'job' AND handler = {:handler} AND user = {:user}`

function countOpen(tx, { handler, user }) {
  return count(tx, `${OWN} AND status IN ('waiting', 'running')`, { handler, user })
}

function countStarted(tx, { handler, user }, seconds) {
  return count(tx, `${OWN} AND created > {:after}`, { handler, user, after: fromNow(-seconds) })
}

function count(tx, condition, values) {
  const found = new DynamicModel({ count: 0 })
  tx.db().newQuery(`SELECT count(*) AS count FROM ${TABLES.work} WHERE ${condition}`).bind(values).one(found)
  return found.count
}

// The seconds until the oldest of the last `most` jobs leaves the period.
function secondsUntilFree(tx, { handler, user }, most, seconds) {
  const found = new DynamicModel({ created: "" })
  tx.db().newQuery(`
    SELECT created FROM ${TABLES.work} WHERE ${OWN} ORDER BY created DESC LIMIT 1 OFFSET ${most - 1}
  `).bind({ handler, user }).one(found)
  return Math.max(1, Math.ceil((toTime(found.created) - Date.now()) / 1000 + seconds))
}

module.exports = { start }
