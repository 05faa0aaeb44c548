// The transaction behind a webhook delivery: event rows and the rows they change, all or nothing.
// Why here: only PocketBase has a transaction around the stored events and rows, so that concurrent gateways see one
// order.
//
// group.events  the events; `row` is the index of the row that shows the event's object, or null
// group.rows    the rows to write: one a Stripe object, from the newest of the events that show it
// group.claims  which user a customer belongs to
// group.outbox who is to be told of the events; absent when nobody is
// texts         beside the group: each row's columns as JSON (see lib/mirror/records.js), each row's Stripe object (empty to
//               keep the stored one), then each event's payload
//
// A row is written when its version is newer than the stored one. Where neither is newer (a conflict), the
// events of that object are not stored, and the answer carries what the gateway needs to decide. Its
// decision comes with the conflict that it was made on, and is a conflict again if that has changed meanwhile.
const { unixToColumn } = require(`${__hooks}/lib/dates.js`)
const { TABLES, nameOf } = require(`${__hooks}/lib/names.js`)
const { applyClaims, assignNamed } = require(`${__hooks}/lib/mirror/ownership.js`)
const { updateEntitlements } = require(`${__hooks}/lib/entitlements/entitlements.js`)
const { save } = require(`${__hooks}/lib/mirror/owners.js`)
const { noPayers } = require(`${__hooks}/lib/entitlements/payers.js`)
const { valuesOf } = require(`${__hooks}/lib/mirror/records.js`)
const { placeholders } = require(`${__hooks}/lib/database/sql.js`)
const { runTransaction } = require(`${__hooks}/lib/database/transaction.js`)

// Returns {outcomes, conflicts}; null if a gateway of another version has laid the texts out in its own way.
// `onCommit` gets the same as soon as it is durable, before realtime and other hooks have run.
function commit(app, group, texts, onCommit) {
  let answer
  const count = group.rows.length
  if (texts.length !== 2 * count + group.events.length) return null
  group.rows.forEach((row, i) => Object.assign(row, { text: texts[i], object: texts[count + i] }))
  const payloads = texts.slice(2 * count)
  runTransaction(app, (tx) => {
    // First, so that a row is its user's from the moment it is there.
    const payers = noPayers()
    applyClaims(tx, group.claims, payers)
    const rows = findRecords(tx, group.rows)
    const duplicates = findDuplicates(tx, group.events, rows)
    decideRows(tx, group, duplicates)
    const outcomes = group.events.map((event, i) =>
      duplicates[i] ? "duplicate" : outcomeOf(event, i, rows[event.row]))
    insertEvents(tx, group.events, outcomes, payloads)
    if (group.outbox) {
      const { enqueue } = require(`${__hooks}/lib/notifications/outbox.js`)
      enqueue(tx, group.outbox, group.events, outcomes)
    }
    assignNamed(tx, save(tx, rows.filter((row) => row.verdict === "apply"), payers), payers)
    updateEntitlements(tx, payers)
    answer = {
      outcomes, conflicts: rows.map((row) => row.verdict === "conflict" ? describeConflict(tx, row) : null),
    }
  }, () => onCommit(answer))
  return answer
}

// The rows with their stored record, if any.
function findRecords(tx, rows) {
  const ids = {}
  for (const row of rows) (ids[row.collection] ||= []).push(row.id)
  const stored = {}
  for (const collection in ids) {
    for (const record of tx.findRecordsByIds(nameOf(collection), ids[collection])) {
      stored[collection + record.id] = record
    }
  }
  for (const row of rows) {
    row.record = stored[row.collection + row.id]
    row.stored = row.record ? row.record.getString("version") : ""
    row.storedVersion = row.stored === "" ? null : JSON.parse(row.stored)
  }
  return rows
}

// Which events are stored already. One that failed, or is asked for `again`, counts as new.
function findDuplicates(tx, events, rows) {
  const doubtful = events.filter((event, i) => !isNews(rows[event.row], i))
  if (doubtful.length === 0) return []
  const stored = arrayOf(new DynamicModel({ stripe_id: "", outcome: "" }))
  const { list, values } = placeholders(doubtful.map((event) => event.stripe_id))
  tx.db().newQuery(`SELECT stripe_id, outcome FROM ${TABLES.stripe_events} WHERE stripe_id IN (${list})`)
    .bind(values).all(stored)
  const done = {}
  for (const event of stored) done[event.stripe_id] = event.outcome !== "failed"
  return events.map((event) => (event.known = !!done[event.stripe_id]) && !event.again)
}

// Had this event been handled before, its object's row would be as new as the event, or newer.
function isNews(row, i) {
  if (!row || row.event !== i || !row.storedVersion) return false
  const [final, , until] = row.storedVersion
  return row.version[0] === final && row.version[1] > until
}

// Gives each row a verdict: apply, same, stale or conflict.
function decideRows(tx, group, duplicates) {
  countEventsOf(group, duplicates)
  for (const row of group.rows) {
    const isOld = row.shown > 0 && row.news === 0
    const verdict = isOld ? "stale" : judge(tx, row, row.rivals > 0)
    row.verdict = row.ask && verdict === "apply" ? "conflict" : verdict
  }
}

// For each row, how many events show its object, how many of them are no duplicates, and how many of
// these are not the one that the row is from.
function countEventsOf({ events, rows }, duplicates) {
  for (const row of rows) row.shown = row.news = row.rivals = 0
  events.forEach((event, i) => {
    if (event.row === null) return
    const row = rows[event.row]
    row.shown += 1
    if (duplicates[i]) return
    row.news += 1
    if (row.event !== i) row.rivals += 1
  })
}

// A version is [final, as_of, until, rank, source]: the state is not older than `as_of` and not newer
// than `until` (equal for an event, a span for a read). `final` and `rank` never go down.
function judge(tx, row, hasRivals) {
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

// Was the conflict that this was decided on the whole story? Another writer may have changed the row, or
// stored an event of these seconds without changing it.
function checkDecision(tx, row) {
  const { version, seen, object, from, to } = row.expect
  if (version !== row.stored || seen !== countEvents(tx, { object, from, to })) return "conflict"
  const isSame = !!row.storedVersion && row.storedVersion[4] === row.version[4]
  return isSame && !row.again ? "same" : "apply"
}

// Coupons and products may be made again under the id of a deleted one: the younger object wins.
function compareBirths(row) {
  const [mine, other] = [valuesOf(row).created || "", row.record.getString("created")]
  if (mine === other || mine === "" || other === "") return ""
  return mine > other ? "apply" : "stale"
}

function outcomeOf(event, i, row) {
  if (event.outcome) return event.outcome
  if (row.verdict === "conflict") return "conflict"
  return row.verdict === "apply" && row.event === i ? "applied" : "superseded"
}

const COLUMNS = ["id", "stripe_id", "type", "outcome", "error", "object_id", "account",
  "api_version", "livemode", "created", "received", "payload"]

// Plain SQL: nobody watches the inbox live, and a record costs several times as much.
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

// Not as one with the other: SQLite would take twice as long to compile it, for every delivery.
const TRY_AGAIN = `
  UPDATE ${TABLES.stripe_events} SET outcome = {:outcome}, error = {:error}, attempts = attempts + 1
  WHERE stripe_id = {:stripe_id}
`

const MOST_RIVALS = 100

// What the gateway needs to decide a conflict: the stored version, and all stored events of its seconds, if
// they are few and none is pruned.
function describeConflict(tx, row) {
  const [, asOf, until] = row.storedVersion || row.version
  const conflict = {
    object: row.stripe_id,
    from: unixToColumn(Math.min(asOf, row.version[1])), to: unixToColumn(Math.max(until, row.version[2])),
  }
  const seen = countEvents(tx, conflict)
  const events = seen <= MOST_RIVALS ? findPayloads(tx, conflict) : []
  const isWhole = events.length === seen && events.every((payload) => payload !== "")
  return { ...conflict, version: row.stored, seen, events: isWhole ? events : null }
}

const RIVALS = `FROM ${TABLES.stripe_events} WHERE object_id = {:object} AND created BETWEEN {:from} AND {:to}`

function countEvents(tx, { object, from, to }) {
  const found = new DynamicModel({ count: 0 })
  tx.db().newQuery(`SELECT count(*) AS count ${RIVALS}`).bind({ object, from, to }).one(found)
  return found.count
}

function findPayloads(tx, { object, from, to }) {
  const found = arrayOf(new DynamicModel({ payload: "" }))
  tx.db().newQuery(`SELECT payload ${RIVALS}`).bind({ object, from, to }).all(found)
  return found.map((event) => event.payload)
}

module.exports = { commit }
