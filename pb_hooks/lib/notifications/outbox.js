// The outbox. An entry is stored in its event's transaction, claimed by one gateway (waiting → sending) and completed
// by it. An entry that a crash leaves as `sending` may have been sent, so it is never sent again automatically:
// docs/decisions/015-notifications.md.
// Why here: the entry is stored in the transaction of its event, and claimed by one gateway at a time.
const { fromNow } = require(`${__hooks}/lib/dates.js`)
const { TABLES } = require(`${__hooks}/lib/names.js`)
const { findOne } = require(`${__hooks}/lib/mirror/records.js`)
const { placeholders } = require(`${__hooks}/lib/database/sql.js`)
const { IS_FREE, readContext } = require(`${__hooks}/lib/notifications/context.js`)

const COLUMNS = ["id", "event", "kind", "channel", "collection", "record", "customer", "created",
  "expires"]
// Within this time the claiming gateway may still be sending.
const CLAIM_SECONDS = 300

// Adds the entries of events that are stored for the first time and did not fail.
function enqueue(tx, entries, events, outcomes) {
  for (const entry of entries) {
    const { known, stripe_id, created } = events[entry.event_index]
    const outcome = outcomes[entry.event_index]
    if (known || outcome === "conflict" || outcome === "failed") continue
    const values = { ...entry, event: stripe_id, created, now: fromNow(0) }
    tx.db().newQuery(`
      INSERT INTO ${TABLES.notifications} (${COLUMNS.join(",")},due,status)
      VALUES (${COLUMNS.map((column) => `{:${column}}`).join(",")},{:now},'waiting')
      ON CONFLICT (id) DO NOTHING
    `).bind(values).execute()
  }
}

// Claims one waiting entry for the caller. Returns it with everything needed to send it, or null.
function claim(app, { channels }) {
  const { list, values } = placeholders(channels)
  const now = fromNow(0)
  let found = null
  if (!isAnyWaiting(app, now)) return { claimed: null }
  app.runInTransaction((tx) => {
    tx.db().newQuery(`
      UPDATE ${TABLES.notifications} SET status = 'skipped', reason = 'too old', completed_at = {:now}
      WHERE status = 'waiting' AND due <= {:now} AND expires <= {:now}
    `).bind({ now }).execute()
    found = readNext(tx, list, { ...values, now })
    if (!found) return
    tx.db().newQuery(`
      UPDATE ${TABLES.notifications}
      SET status = 'sending', attempts = attempts + 1, locked_at = {:now} WHERE id = {:id}
    `).bind({ id: found.id, now }).execute()
  })
  return { claimed: found ? describe(app, found) : null }
}

// Only reads, so that idle gateways never take PocketBase's single writer.
function isAnyWaiting(app, now) {
  const found = new DynamicModel({ count: 0 })
  app.db().newQuery(`
    SELECT count(*) AS count FROM (
      SELECT 1 FROM ${TABLES.notifications} WHERE status = 'waiting' AND due <= {:now} LIMIT 1)
  `).bind({ now }).one(found)
  return found.count > 0
}

function readNext(tx, channels, values) {
  const found = arrayOf(new DynamicModel({
    id: "", event: "", kind: "", channel: "", attempts: 0, collection: "", record: "", customer: "",
    created: "",
  }))
  tx.db().newQuery(`
    SELECT id, event, kind, channel, attempts, collection, record, customer, created
    FROM ${TABLES.notifications}
    WHERE status = 'waiting' AND due <= {:now} AND channel IN (${channels}) AND ${IS_FREE} ORDER BY due LIMIT 1
  `).bind({ ...values, stale: fromNow(-CLAIM_SECONDS) }).all(found)
  return found[0]
}

function describe(app, row) {
  const subject = row.collection ? findOne(app, row.collection, row.record) : undefined
  const customer = findOne(app, "customers", subject?.getString("customer") || row.customer)
  const userId = subject?.getString("user") || customer?.getString("user") || ""
  const user = findOne(app, "users", userId)
  const { appName, appURL, senderName, senderAddress } = app.settings().meta
  return {
    id: row.id, event: row.event, kind: row.kind, channel: row.channel, attempts: row.attempts + 1,
    payload: readPayload(app, row.event),
    subject: columnsOf(subject),
    user: userId,
    organization: subject?.getString("organization") || customer?.getString("organization") || "",
    customer: customer ? customer.getString("stripe_id") : "",
    email: customer?.getString("email") || (user ? user.email() : ""),
    app: { name: appName, url: appURL, sender: { name: senderName, address: senderAddress } },
    ...readContext(app, row, subject, customer),
  }
}

// Returns the columns that are not hidden as a plain object.
function columnsOf(record) {
  return record ? JSON.parse(JSON.stringify(record)) : null
}

function readPayload(app, event) {
  const found = arrayOf(new DynamicModel({ payload: "" }))
  app.db().newQuery(`SELECT payload FROM ${TABLES.stripe_events} WHERE stripe_id = {:event}`)
    .bind({ event }).all(found)
  return found.length ? found[0].payload : ""
}

// Stores the outcome of a claimed entry; `waiting` makes it due again after `delay` seconds.
function complete(app, { id, attempts, status, reason, delay }) {
  const result = app.db().newQuery(`
    UPDATE ${TABLES.notifications}
    SET status = {:status}, reason = {:reason}, completed_at = {:now}, due = {:due}
    WHERE id = {:id} AND status = 'sending' AND attempts = {:attempts}
  `).bind({ id, attempts, status, reason, now: fromNow(0), due: fromNow(delay) }).execute()
  return { completed: result.rowsAffected() }
}

// Makes entries due again: the given ids, or all failed ones. An entry that may be in progress is skipped.
function retry(app, { ids, seconds }) {
  const { list, values } = placeholders(ids)
  const wanted = ids.length ? `id IN (${list})` : "status = 'failed'"
  const result = app.db().newQuery(`
    UPDATE ${TABLES.notifications}
    SET status = 'waiting', reason = '', completed_at = '', due = {:now}, expires = {:expires}
    WHERE ${wanted} AND (status IN ('failed', 'skipped')
      OR (status = 'sending' AND locked_at < {:stale}))
  `).bind({
    ...values, now: fromNow(0), expires: fromNow(seconds), stale: fromNow(-CLAIM_SECONDS),
  }).execute()
  return { retried: result.rowsAffected() }
}

module.exports = { claim, complete, enqueue, retry }
