// Items of the queue that the gateway's own rows still need, but that are gone: a person deleted them, or the rows came
// back from a backup without them.
// Why here: rows and queue are compared in the transaction that adds the items.
const { TABLES } = require(`${__hooks}/lib/names.js`)
const { enqueueDeletion } = require(`${__hooks}/lib/customers/stripe_changes.js`)
const { enqueue } = require(`${__hooks}/lib/work/queue.js`)

const RESOLVE = "gateway.events.resolve"
const SYNC = "gateway.customers.sync"
// Parked items count: an operator decides about them.
const OPEN = "status IN ('waiting', 'running', 'parked')"
// Limit of one transaction; the next call continues.
const LIMIT = 500

const EVENTS = `
  SELECT stripe_id, object_id, created FROM ${TABLES.stripe_events} event WHERE outcome = 'unresolved' AND NOT EXISTS (
    SELECT 1 FROM ${TABLES.work} WHERE source = event.stripe_id AND handler = '${RESOLVE}' AND ${OPEN})
  ORDER BY created LIMIT ${LIMIT}`
const DELETIONS = `
  SELECT id, payer, customer FROM ${TABLES.payer_changes} deleted
  WHERE kind = 'deleted' AND outcome = '' AND customer != '' AND NOT EXISTS (
    SELECT 1 FROM ${TABLES.work} WHERE source = 'delete ' || deleted.payer AND key = deleted.customer
      AND handler = '${SYNC}' AND ${OPEN})
  ORDER BY created LIMIT ${LIMIT}`

// Adds the items of unresolved events, and of deletions of customers without an outcome. Returns {events, deletions},
// the numbers of items added. Without lost items it takes no write lock.
function addLost(app) {
  const isComplete = findEvents(app).length + findDeletions(app).length === 0
  let events = [], deletions = []
  if (!isComplete) app.runInTransaction((tx) => {
    events = findEvents(tx)
    deletions = findDeletions(tx)
    enqueue(tx, events.map(buildResolution))
    for (const { id, payer, customer } of deletions) enqueueDeletion(tx, payer, customer, id)
  })
  return { events: events.length, deletions: deletions.length }
}

function findEvents(app) {
  const found = arrayOf(new DynamicModel({ stripe_id: "", object_id: "", created: "" }))
  app.db().newQuery(EVENTS).all(found)
  return found
}

function findDeletions(app) {
  const found = arrayOf(new DynamicModel({ id: "", payer: "", customer: "" }))
  app.db().newQuery(DELETIONS).all(found)
  return found
}

// The item that the gateway adds with an unresolved event (gateway/mirror/event_change.py).
function buildResolution({ stripe_id, object_id, created }) {
  return {
    id: $security.sha256(`${stripe_id}|${RESOLVE}`).slice(0, 15), kind: "event", handler: RESOLVE, key: object_id,
    source: stripe_id, payload: { kind: "", collection: "", record: "", customer: "", created }, tries: 0, coalesce: true,
  }
}

module.exports = { addLost }
