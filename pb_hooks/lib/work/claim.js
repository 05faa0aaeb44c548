// Claims due items for one process. An item is claimed under a token and a lease; an item whose lease has run out is
// claimed again, or parked if it may run once only.
// Why here: only one process may get an item, and the order of a key is checked in the transaction that claims it.
const { fromNow } = require(`${__hooks}/lib/dates.js`)
const { TABLES } = require(`${__hooks}/lib/names.js`)
const { isPassing, placeholders } = require(`${__hooks}/lib/database/sql.js`)
const { applyEnds } = require(`${__hooks}/lib/work/endings.js`)
const { update } = require(`${__hooks}/lib/work/queue.js`)

// Rounds of one claim: each ends with items that are too old, or of handlers that have got as many as they take.
const MAX_ROUNDS = 20

// Due, of a handler that is not paused, and the first open item of its key.
const FREE = `
  status = 'waiting' AND due <= {:now} AND handler NOT IN (SELECT handler FROM ${TABLES.paused_handlers})
  AND (key = '' OR NOT EXISTS (SELECT 1 FROM ${TABLES.work} other WHERE other.handler = item.handler
    AND other.key = item.key AND other.seq < item.seq AND other.status IN ('waiting','running')))`

// Whether a claim would change anything. Only reads, so that idle processes never take PocketBase's single writer.
function isAnyDue(app, handlers) {
  const now = fromNow(0)
  return findExpired(app, now, 1).length > 0 || (handlers.length > 0 && findFree(app, handlers, now, 1).length > 0)
}

// Claims at most `limit` items, and of each handler at most its own limit. Returns them in their order.
function claim(tx, { token, handlers, limit, lease_seconds }) {
  const now = fromNow(0)
  takeBack(tx, now)
  let left = limit
  const caps = {}
  for (const { name, limit: most } of handlers) caps[name] = most
  for (let round = 0; round < MAX_ROUNDS && left > 0; round++) {
    const open = handlers.filter(({ name }) => caps[name] > 0)
    const found = open.length ? findFree(tx, open, now, left) : []
    const taken = takeUpTo(tx, found, caps, now)
    left -= take(tx, taken, { token, lease: fromNow(lease_seconds), now })
    if (found.length === 0 || taken.length === found.length) break
  }
  return readClaimed(tx, token)
}

// Ends or frees the items with a lease that has run out.
function takeBack(tx, now) {
  const expired = findExpired(tx, now, 1000)
  for (const item of expired) update(tx, item, afterLostLease(item, now))
  try {
    applyEnds(tx, expired)
  } catch (error) {
    // One item must not end the claims of all processes.
    if (isPassing(error)) throw error
    tx.logger().error("The end of an expired item has failed.", "error", `${error}`)
  }
}

// Returns the items that are within their handlers' limits; cancels those that are too old.
function takeUpTo(tx, found, caps, now) {
  return found.filter((item) => {
    if (item.expires !== "" && item.expires <= now) {
      update(tx, item, { status: "cancelled", error: "too old", completed_at: now })
      return false
    }
    if (caps[item.handler] <= 0) return false
    caps[item.handler]--
    return true
  })
}

function findFree(app, handlers, now, limit) {
  const { list, values } = placeholders(handlers.map(({ name }) => name))
  return find(app, `${FREE} AND handler IN (${list}) ORDER BY due, seq LIMIT ${limit}`, { ...values, now })
}

function findExpired(app, now, limit) {
  return find(app, `status = 'running' AND lease < {:now} LIMIT ${limit}`, { now })
}

function find(app, condition, values) {
  const found = arrayOf(new DynamicModel({
    id: "", kind: "", handler: "", expires: "", attempts: 0, tries: 0, at_most_once: false, cancel: false,
  }))
  app.db().newQuery(`
    SELECT id, kind, handler, expires, attempts, tries, at_most_once, cancel FROM ${TABLES.work} item WHERE ${condition}
  `).bind(values).all(found)
  return found
}

// The columns of a running item whose process has not renewed the lease.
function afterLostLease({ attempts, tries, at_most_once, cancel }, now) {
  if (cancel) return { status: "cancelled", error: "cancelled", claim: "", completed_at: now }
  if (at_most_once) {
    // The claim stays, as the mark of an item that may have been done (event_context.js).
    return { status: "parked", error: "Its process ended or hung: it may have been done.", completed_at: now }
  }
  const error = "Its process ended or hung."
  if (tries > 0 && attempts >= tries) return { status: "parked", error, claim: "", completed_at: now }
  return { status: "waiting", due: now, error, claim: "" }
}

// Marks items as running. Returns their number.
function take(tx, items, { token, lease, now }) {
  const others = items.filter(({ kind }) => kind !== "job")
  for (const item of items) {
    if (item.kind === "job") update(tx, item, { status: "running", claim: token, lease, attempts: item.attempts + 1 })
  }
  if (others.length === 0) return items.length
  const { list, values } = placeholders(others.map(({ id }) => id))
  tx.db().newQuery(`
    UPDATE ${TABLES.work} SET status = 'running', claim = {:token}, lease = {:lease}, attempts = attempts + 1
    WHERE id IN (${list})
  `).bind({ ...values, token, lease }).execute()
  return items.length
}

// The items that a token has claimed, also those that an earlier exchange of the same token got, as JSON texts; those of
// events with the event. SQLite builds the texts, because PocketBase takes several times longer to encode objects.
function readClaimed(app, token) {
  const found = arrayOf(new DynamicModel({
    id: "", kind: "", handler: "", source: "", text: "", collection: "", record: "", customer: "", mail: "", created: "",
  }))
  // With `+`, SQLite uses the index of running items: by `seq` it would read the whole table.
  app.db().newQuery(`
    SELECT id, kind, handler, source, json_object('id', id, 'kind', kind, 'handler', handler, 'key', key, 'source', source,
        'payload', json(coalesce(payload, 'null')), 'attempts', attempts, 'tries', tries,
        'at_most_once', json(iif(at_most_once, 'true', 'false')), 'version', version, 'state', json(coalesce(state, 'null')),
        'user', user, 'created', created, 'claim', claim) AS text,
      coalesce(payload ->> 'collection', '') AS collection, coalesce(payload ->> 'record', '') AS record,
      coalesce(payload ->> 'customer', '') AS customer, coalesce(payload ->> 'kind', '') AS mail,
      coalesce(payload ->> 'created', '') AS created
    FROM ${TABLES.work} WHERE status = 'running' AND lease > '' AND claim = {:token} ORDER BY +seq
  `).bind({ token }).all(found)
  const ofEvents = found.filter(({ kind }) => kind === "event")
  if (ofEvents.length === 0) return found.map(({ text }) => text)
  const { readEvents } = require(`${__hooks}/lib/work/event_context.js`)
  const eventOf = readEvents(app, ofEvents)
  return found.map((item) => item.kind === "event" ? `${item.text.slice(0, -1)},"event":${readOne(app, item, eventOf)}}` : item.text)
}

// The event of one item as JSON text. Of rows with an unexpected value, for example after an edit by hand, it is a string:
// the gateway puts such an item off, so that it does not end the claims of all processes.
function readOne(app, item, eventOf) {
  try {
    return eventOf(item)
  } catch (error) {
    if (isPassing(error)) throw error
    app.logger().error("The event of an item can't be read.", "item", item.id, "error", `${error}`)
    return '"unreadable"'
  }
}

module.exports = { claim, isAnyDue, readClaimed }
