// The rows of `stripe_events`: finds duplicates, and inserts the events of a batch.
// Why here: an event is compared with the stored ones and stored in the commit transaction.
const { TABLES } = require(`${__hooks}/lib/names.js`)
const { placeholders } = require(`${__hooks}/lib/database/sql.js`)

// Finds events that are already stored. A failed or unresolved one, or one with `again`, counts as new.
function findDuplicates(tx, events, rows) {
  const doubtful = events.filter((event, i) => !isNew(rows[event.row], i))
  if (doubtful.length === 0) return []
  const stored = arrayOf(new DynamicModel({ stripe_id: "", outcome: "" }))
  const { list, values } = placeholders(doubtful.map((event) => event.stripe_id))
  tx.db().newQuery(`SELECT stripe_id, outcome FROM ${TABLES.stripe_events} WHERE stripe_id IN (${list})`)
    .bind(values).all(stored)
  const done = {}
  for (const event of stored) done[event.stripe_id] = !["failed", "unresolved"].includes(event.outcome)
  return events.map((event) => (event.known = !!done[event.stripe_id]) && !event.again)
}

// Whether an event is certainly new: otherwise its object's row would be at least as new as the event.
function isNew(row, i) {
  if (!row || row.event !== i || !row.storedVersion) return false
  const [final, , until] = row.storedVersion
  return row.version[0] === final && row.version[1] > until
}

const COLUMNS = ["id", "stripe_id", "type", "outcome", "error", "object_id", "account",
  "api_version", "livemode", "created", "received", "payload"]

// Plain SQL: events have no realtime subscribers, and a record costs several times as much.
function insertEvents(tx, events, outcomes, payloads) {
  const places = events.map((_, i) => i)
    .filter((i) => outcomes[i] !== "conflict" && outcomes[i] !== "duplicate")
  if (places.length === 0) return
  const insert = tx.db().newQuery(INSERT)
  if (places.length > 1) insert.prepare()
  for (const i of places) {
    const event = events[i]
    event.outcome = outcomes[i]
    event.payload = payloads[i]
    if (insert.bind(event).execute().rowsAffected() === 0) {
      tx.db().newQuery(TRY_AGAIN).bind(event).execute()
    }
  }
  if (places.length > 1) insert.close()
}

const INSERT = `
  INSERT INTO ${TABLES.stripe_events} (${COLUMNS.join(",")},attempts)
  VALUES (${COLUMNS.map((column) => `{:${column}}`).join(",")},1)
  ON CONFLICT (stripe_id) DO NOTHING
`

// A statement of its own: SQLite takes twice as long to compile both as one, for every delivery.
const TRY_AGAIN = `
  UPDATE ${TABLES.stripe_events} SET outcome = {:outcome}, error = {:error}, account = {:account}, attempts = attempts + 1
  WHERE stripe_id = {:stripe_id}
`

module.exports = { findDuplicates, insertEvents }
