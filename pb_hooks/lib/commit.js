// The transaction behind a webhook delivery: event rows and the rows they change, all or nothing.
//
// group.events  the events; `row` is the index of the row that shows the event's object, or null
// group.rows    the rows to write: one a Stripe object, from the newest of the events that show it
// group.claims  which user a customer belongs to
//
// A row is written when its stamp is newer than the stored one. Where neither is newer (a tie), the
// events of that object are not stored, and the answer carries what the gateway needs to decide.
const owners = require(`${__hooks}/lib/owners.js`)

function commit(app, group, payloads) {
  let answer
  app.runInTransaction((tx) => {
    const repeated = findRepeated(tx, group.events)
    const rows = judgeRows(tx, group.rows, repeated)
    const outcomes = group.events.map((event, i) =>
      repeated[i] ? "repeated" : outcomeOf(event, i, rows[event.row]))
    insertEvents(tx, group.events, outcomes, payloads)
    owners.save(tx, rows.filter((row) => row.verdict === "apply"))
    owners.claim(tx, group.claims)
    answer = {
      outcomes, ties: rows.map((row) => row.verdict === "tie" ? describeTie(tx, row) : null),
    }
  })
  return answer
}

// Which events are stored already. One that failed, or is asked for `again`, counts as new.
function findRepeated(tx, events) {
  if (events.length === 0) return []
  const stored = arrayOf(new DynamicModel({ id: "", outcome: "" }))
  tx.db().newQuery(
    "SELECT id, outcome FROM stripe_events WHERE id IN (SELECT value FROM json_each({:ids}))",
  ).bind({ ids: JSON.stringify(events.map((event) => event.id)) }).all(stored)
  const done = {}
  for (const event of stored) done[event.id] = event.outcome !== "failed"
  return events.map((event) => !!done[event.id] && !event.again)
}

// Each row with its stored record, if any, and a verdict: apply, same, stale or tie.
function judgeRows(tx, rows, repeated) {
  const ids = {}
  for (const row of rows) (ids[row.collection] ||= []).push(row.values.id)
  const stored = {}
  for (const collection in ids) {
    for (const record of tx.findRecordsByIds(collection, ids[collection])) {
      stored[collection + record.id] = record
    }
  }
  return rows.map((row) => {
    const record = stored[row.collection + row.values.id]
    return { ...row, record, verdict: repeated[row.event] ? "stale" : judge(row, record) }
  })
}

// A stamp is [final, as_of, until, rank, source]: the state is not older than `as_of` and not newer
// than `until` (equal for an event, a span for a read). `final` and `rank` never go down.
function judge(row, record) {
  const stored = record ? record.getString("stamp") : ""
  if (stored === "") return "apply"
  if (row.expect) return row.expect === stored ? "apply" : "tie"
  const [final, asOf, until, rank, source] = JSON.parse(stored)
  const mine = row.stamp
  if (mine[4] === source) return row.again ? "apply" : "same"
  if (mine[0] !== final) return mine[0] > final ? "apply" : "stale"
  if (mine[1] > until) return "apply"
  if (mine[2] < asOf) return "stale"
  if (mine[3] !== rank) return mine[3] > rank ? "apply" : "stale"
  return "tie"
}

function outcomeOf(event, i, row) {
  if (event.outcome) return event.outcome
  if (row.verdict === "tie") return "tie"
  return row.verdict === "apply" && row.event === i ? "applied" : "superseded"
}

const EVENT_COLUMNS = ["id", "stripe_id", "type", "outcome", "error", "object_id", "account",
  "api_version", "livemode", "created", "received"]

// Plain SQL: nobody watches the inbox live, and a record costs several times as much.
function insertEvents(tx, events, outcomes, payloads) {
  const tuples = []
  const values = {}
  events.forEach((event, i) => {
    if (outcomes[i] === "tie" || outcomes[i] === "repeated") return
    const row = { ...event, outcome: outcomes[i] }
    const names = EVENT_COLUMNS.map((column, j) => {
      values[`v${i}_${j}`] = row[column]
      return `{:v${i}_${j}}`
    })
    values[`p${i}`] = payloads[i]
    tuples.push(`(${names.join(",")},1,{:p${i}})`)
  })
  if (tuples.length === 0) return
  tx.db().newQuery(`
    INSERT INTO stripe_events (${EVENT_COLUMNS.join(",")},attempts,payload)
    VALUES ${tuples.join(",")}
    ON CONFLICT (id) DO UPDATE SET
      outcome = excluded.outcome, error = excluded.error, attempts = attempts + 1
  `).bind(values).execute()
}

// What the gateway needs to decide a tie: the stored stamp and the events it may have come from.
function describeTie(tx, row) {
  const stamp = row.record.getString("stamp")
  const [, asOf, until] = JSON.parse(stamp)
  const events = arrayOf(new DynamicModel({ payload: "" }))
  tx.db().newQuery(`
    SELECT payload FROM stripe_events
    WHERE object_id = {:object} AND created BETWEEN {:from} AND {:to} AND payload != ''
    LIMIT 100
  `).bind({ object: row.values.stripe_id, from: moment(asOf), to: moment(until) }).all(events)
  return { stamp, events: events.map((event) => event.payload) }
}

function moment(seconds) {
  return new Date(seconds * 1000).toISOString().replace("T", " ")
}

module.exports = { commit }
