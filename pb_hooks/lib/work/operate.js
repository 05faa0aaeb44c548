// An operator's commands for the queue: retry, cancel, pause; and its state in numbers.
// Why here: the state of an item is checked in the transaction that changes it, beside processes that claim.
const { fromNow } = require(`${__hooks}/lib/dates.js`)
const { NAMES, TABLES } = require(`${__hooks}/lib/names.js`)
const { placeholders } = require(`${__hooks}/lib/database/sql.js`)
const { runTransaction } = require(`${__hooks}/lib/database/transaction.js`)
const { applyEnds } = require(`${__hooks}/lib/work/endings.js`)
const { update } = require(`${__hooks}/lib/work/queue.js`)

// Makes items due again with all their tries: those with these ids, or all parked ones (of one handler). Items that run
// or are done stay as they are.
function retry(app, { ids, handler }) {
  const wanted = ids.length ? "status IN ('waiting', 'parked', 'cancelled')" : "status = 'parked'"
  const values = {
    status: "waiting", due: fromNow(0), expires: "", attempts: 0, error: "", completed_at: "", cancel: false, claim: "",
  }
  return { changed: change(app, ids, handler, wanted, () => values) }
}

// Cancels items that wait or are parked, and asks the process of a running one to stop.
function cancel(app, { ids }) {
  const ended = { status: "cancelled", error: "cancelled", completed_at: fromNow(0) }
  const choose = ({ status }) => status === "running" ? { cancel: true } : ended
  return { changed: change(app, ids, "", "status IN ('waiting', 'parked', 'running')", choose) }
}

function change(app, ids, handler, wanted, choose) {
  let changed = 0
  runTransaction(app, (tx) => {
    const found = find(tx, ids, handler, wanted)
    for (const item of found) update(tx, item, choose(item))
    applyEnds(tx, found)
    changed = found.length
  })
  return changed
}

function find(tx, ids, handler, wanted) {
  const { list, values } = placeholders(ids)
  const found = arrayOf(new DynamicModel({ id: "", kind: "", handler: "", status: "" }))
  tx.db().newQuery(`
    SELECT id, kind, handler, status FROM ${TABLES.work}
    WHERE ${wanted} ${ids.length ? `AND id IN (${list})` : ""} ${handler ? "AND handler = {:handler}" : ""}
  `).bind(handler ? { ...values, handler } : values).all(found)
  return found
}

// Holds back the items of a handler in all processes, or lets them go on. Running ones end.
function pause(app, { handler, paused }) {
  // Not by a filter: PocketBase drops control characters from its parameters.
  const [known] = app.findAllRecords(NAMES.paused_handlers, $dbx.hashExp({ handler }))
  if (paused === !!known) return { changed: 0 }
  if (known) app.delete(known)
  else app.save(new Record(app.findCollectionByNameOrId(NAMES.paused_handlers), { handler }))
  return { changed: 1 }
}

const OPEN_STATUSES = ["waiting", "running", "parked"]

// Each status has a partial index, which SQLite uses only for a literal status.
const countOf = (status) => `
  SELECT handler, '${status}' AS status, count(*) AS number, coalesce(min(due), '') AS due FROM ${TABLES.work}
  WHERE status = '${status}' GROUP BY handler`

// The number of open and parked items by handler, the earliest due time of those that wait, and the paused handlers.
function describe(app) {
  const found = arrayOf(new DynamicModel({ handler: "", status: "", number: 0, due: "" }))
  app.db().newQuery(OPEN_STATUSES.map(countOf).join(" UNION ALL ")).all(found)
  const paused = arrayOf(new DynamicModel({ handler: "" }))
  app.db().newQuery(`SELECT handler FROM ${TABLES.paused_handlers} ORDER BY handler`).all(paused)
  return { counts: found, paused: paused.map(({ handler }) => handler) }
}

module.exports = { cancel, describe, pause, retry }
