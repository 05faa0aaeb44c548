// The transaction of a webhook delivery: event rows and the rows they change, all or nothing.
// Why here: only PocketBase has a transaction around the stored events and rows, so that concurrent gateways see one
// order.
//
// batch.events  the events; `row` is the index of the row that shows the event's object, or null
// batch.rows    the rows to write: one per Stripe object, from the newest of its events
// batch.claims  claims of customers' owners (ownership.js)
// batch.work    for each item of the queue that follows from the events, the index of its event; absent without any
// texts         the columns of each row as JSON; the Stripe object of each row (empty to keep the stored one) that is not
//               a part of its event's payload, see `object_span`; the payload of each event; and with batch.work the items
//               as JSON
//
// A row is written if its version is newer than the stored one. If neither is newer (a conflict), the events of that
// object are not stored, and the answer has what the gateway needs to decide. It commits its decision together with the
// conflict that it is based on; if that has changed meanwhile, the answer is a conflict again.
const { nameOf } = require(`${__hooks}/lib/names.js`)
const { applyClaims, assignNamed } = require(`${__hooks}/lib/mirror/ownership.js`)
const { updateEntitlements } = require(`${__hooks}/lib/entitlements/entitlements.js`)
const { save } = require(`${__hooks}/lib/mirror/owners.js`)
const { noPayers } = require(`${__hooks}/lib/entitlements/payers.js`)
const { findDuplicates, insertEvents } = require(`${__hooks}/lib/mirror/event_rows.js`)
const { decideRows, describeConflict } = require(`${__hooks}/lib/mirror/ordering.js`)
const { findWithoutObject } = require(`${__hooks}/lib/mirror/records.js`)
const { runTransaction } = require(`${__hooks}/lib/database/transaction.js`)
const { dropErasedClaims, redactDelivery } = require(`${__hooks}/lib/privacy/late_deliveries.js`)

// Returns {outcomes, conflicts}; null if the number of texts is that of another version of the gateway. `onCommit` gets
// the same as soon as it is durable, before realtime and other hooks run.
function commit(app, batch, texts, onCommit) {
  let answer
  const payloads = readTexts(batch, texts)
  // Gateways before the queue send `outbox`.
  if (!payloads || batch.outbox) return null
  runTransaction(app, (tx) => {
    // First, so that each row is written with its owner.
    const payers = noPayers()
    applyClaims(tx, dropErasedClaims(tx, batch.claims), payers)
    redactDelivery(tx, batch, payloads)
    const rows = findRecords(tx, batch.rows)
    const duplicates = findDuplicates(tx, batch.events, rows)
    decideRows(tx, batch, duplicates)
    const outcomes = batch.events.map((event, i) =>
      duplicates[i] ? "duplicate" : outcomeOf(event, i, rows[event.row]))
    insertEvents(tx, batch.events, outcomes, payloads)
    if (batch.work) {
      const { enqueueOfEvents } = require(`${__hooks}/lib/work/queue.js`)
      enqueueOfEvents(tx, texts[texts.length - 1], batch.work, batch.events, outcomes)
    }
    assignNamed(tx, save(tx, rows.filter((row) => row.decision === "apply"), payers), payers)
    updateEntitlements(tx, payers)
    answer = {
      outcomes, conflicts: rows.map((row) => row.decision === "conflict" ? describeConflict(tx, row) : null),
    }
  }, () => onCommit(answer))
  return answer
}

// Adds their texts to the rows. Returns the payloads of the events, null if the number of texts is another.
function readTexts({ events, rows, work }, texts) {
  const apart = rows.filter((row) => !row.object_span)
  if (texts.length !== rows.length + apart.length + events.length + (work ? 1 : 0)) return null
  const payloads = texts.slice(rows.length + apart.length)
  rows.forEach((row, i) => {
    row.text = texts[i]
    if (row.object_span) row.object = payloads[row.event].slice(...row.object_span)
  })
  apart.forEach((row, i) => { row.object = texts[rows.length + i] })
  return payloads
}

// Adds the stored records and their versions to the rows.
function findRecords(tx, rows) {
  const replaced = {}, kept = {}
  for (const row of rows) ((row.object ? replaced : kept)[row.collection] ||= []).push(row.id)
  const stored = {}
  const add = (collection, record) => { stored[collection + record.id] = record }
  for (const key in replaced) for (const record of findWithoutObject(tx, key, replaced[key])) add(key, record)
  for (const key in kept) for (const record of tx.findRecordsByIds(nameOf(key), kept[key])) add(key, record)
  for (const row of rows) {
    row.record = stored[row.collection + row.id]
    row.stored = row.record ? row.record.getString("version") : ""
    row.storedVersion = row.stored === "" ? null : JSON.parse(row.stored)
  }
  return rows
}

function outcomeOf(event, i, row) {
  if (event.outcome) return event.outcome
  if (row.decision === "conflict") return "conflict"
  return row.decision === "apply" && row.event === i ? "applied" : "superseded"
}

module.exports = { commit }
