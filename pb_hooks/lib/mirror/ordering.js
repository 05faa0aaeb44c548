// Decides whether a row replaces the stored one. gateway/mirror/ordering.py orders the events that conflict.
// Why here: the comparison and the write are one transaction, so that no other gateway writes in between.
const { unixToColumn } = require(`${__hooks}/lib/dates.js`)
const { TABLES } = require(`${__hooks}/lib/names.js`)
const { valuesOf } = require(`${__hooks}/lib/mirror/records.js`)

// Maximum number of stored events that the description of a conflict contains.
const MAX_EVENTS = 100

// Decides for each row: apply, same, stale or conflict.
function decideRows(tx, batch, duplicates) {
  countEventsOf(batch, duplicates)
  for (const row of batch.rows) {
    const isOld = row.shown > 0 && row.unseen === 0
    const decision = isOld ? "stale" : decide(tx, row, row.rivals > 0)
    row.decision = row.ask && decision === "apply" ? "conflict" : decision
  }
}

// Counts per row: `shown`, the events of its object; `unseen`, those that are not duplicates; `rivals`, those of the
// latter that the row is not from.
function countEventsOf({ events, rows }, duplicates) {
  for (const row of rows) row.shown = row.unseen = row.rivals = 0
  events.forEach((event, i) => {
    if (event.row === null) return
    const row = rows[event.row]
    row.shown += 1
    if (duplicates[i]) return
    row.unseen += 1
    if (row.event !== i) row.rivals += 1
  })
}

// A version is [final, as_of, until, rank, source]: the state is not older than `as_of` and not newer
// than `until` (equal for an event, a span for a read). `final` and `rank` never go down.
function decide(tx, row, hasRivals) {
  if (row.expect) return checkDecision(tx, row)
  if (!row.storedVersion) return "apply"
  const [final, asOf, until, rank, source] = row.storedVersion
  const mine = row.version
  if (row.ask === "time") return mine[2] < asOf ? "stale" : "conflict"
  if (mine[4] === source) return row.again ? "apply" : hasRivals ? "conflict" : "same"
  if (mine[0] !== final) return compareBirths(row) || (mine[0] > final ? "apply" : "stale")
  if (mine[1] > until) return "apply"
  if (mine[2] < asOf) return "stale"
  if (mine[3] !== rank) return mine[3] > rank ? "apply" : "stale"
  return "conflict"
}

// Checks a decision against the stored rows: another writer may have changed the row, or stored an event of these
// seconds without changing it.
function checkDecision(tx, row) {
  const { version, seen, object, from, to } = row.expect
  if (version !== row.stored || seen !== countEvents(tx, { object, from, to })) return "conflict"
  const isSame = !!row.storedVersion && row.storedVersion[4] === row.version[4]
  return isSame && !row.again ? "same" : "apply"
}

// A coupon or product may be created again under the id of a deleted one: the newer object wins.
function compareBirths(row) {
  const [mine, other] = [valuesOf(row).created || "", row.record.getString("created")]
  if (mine === other || mine === "" || other === "") return ""
  return mine > other ? "apply" : "stale"
}

// Returns what the gateway needs to resolve a conflict: the stored version, and all stored events of its seconds, if
// they are few and none is pruned.
function describeConflict(tx, row) {
  const [, asOf, until] = row.storedVersion || row.version
  const conflict = {
    object: row.stripe_id,
    from: unixToColumn(Math.min(asOf, row.version[1])), to: unixToColumn(Math.max(until, row.version[2])),
  }
  const seen = countEvents(tx, conflict)
  const events = seen <= MAX_EVENTS ? findPayloads(tx, conflict) : []
  const isWhole = events.length === seen && events.every((payload) => payload !== "")
  return { ...conflict, version: row.stored, seen, events: isWhole ? events : null }
}

const OF_OBJECT = `FROM ${TABLES.stripe_events} WHERE object_id = {:object} AND created BETWEEN {:from} AND {:to}`

function countEvents(tx, { object, from, to }) {
  const found = new DynamicModel({ count: 0 })
  tx.db().newQuery(`SELECT count(*) AS count ${OF_OBJECT}`).bind({ object, from, to }).one(found)
  return found.count
}

function findPayloads(tx, { object, from, to }) {
  const found = arrayOf(new DynamicModel({ payload: "" }))
  tx.db().newQuery(`SELECT coalesce(nullif(payload, 'null'), '') AS payload ${OF_OBJECT}`).bind({ object, from, to }).all(found)
  return found.map((event) => event.payload)
}

module.exports = { decideRows, describeConflict }
