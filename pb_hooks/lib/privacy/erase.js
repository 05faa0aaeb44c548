// Deletes a user with all personal data, in parts (docs/personal-data.md). gateway/privacy/deletion.py calls it.
// Why here: rows are changed in PocketBase's transactions, without hooks and realtime, and found by any of their texts.
const { NOW } = require(`${__hooks}/lib/dates.js`)
const { NAMES, TABLES } = require(`${__hooks}/lib/names.js`)
const { enqueueErasure } = require(`${__hooks}/lib/customers/customer_deletion.js`)
const { addErasures } = require(`${__hooks}/lib/privacy/erasures.js`)
const { findRows } = require(`${__hooks}/lib/privacy/find.js`)
const { mentions, redactColumn, redactColumns, redactEventText, redactObjectText, redactValues } = require(`${__hooks}/lib/privacy/redact.js`)
const { untilUnlocked } = require(`${__hooks}/lib/database/sql.js`)
const { runTransaction } = require(`${__hooks}/lib/database/transaction.js`)
const { mirror: { owned: OWNED } } = require(`${__hooks}/lib/vocabulary.json`)

const CHECKPOINT_TRIES = 20
const CHECKPOINT_PAUSE_MS = 100
const MIRRORS = ["customers", "stripe_objects", "promotion_codes", ...OWNED]

// user       the record id of the user, "" for a guest
// customers  [{id, payer}]: Stripe customers and their payers (lib/mirror/payer.js)
// objects    Stripe ids of purchases without a customer
// contacts   addresses and phone numbers in lower case: they are removed wherever they occur
// names      further values in lower case: they are removed from the person's own objects

// Begins a deletion. In one transaction, deletes the user, marks the Stripe objects, and enqueues the deletion of the
// customers at Stripe.
function begin(app, { user, customers, objects, contacts, names }) {
  transact(app, (tx) => {
    addErasures(tx, user, listMarked(user, customers, objects), { contacts, names })
    const [record] = user ? tx.findRecordsByIds(NAMES.users, [user]) : []
    if (record) tx.delete(record)
    for (const { id, payer } of customers) enqueueErasure(tx, payer, id)
    if (!user) return
    tx.db().newQuery(`DELETE FROM ${TABLES.checkout_keys} WHERE trial_payer = {:user}`).bind({ user }).execute()
    tx.db().newQuery(`DELETE FROM ${TABLES.pending_checkouts} WHERE buyer = {:user}`).bind({ user }).execute()
  })
}

function listMarked(user, customers, objects) {
  return [...(user ? [user] : []), ...customers.map(({ id }) => id), ...objects]
}

// Erases one part of a collection: {collection, after, limit, texts} as in find.js, and the ids in `own` that make a row
// the person's. Returns {changed, open, next}: `open` counts work that still runs.
function erasePart(app, asked) {
  const { rows, next } = findRows(app, asked)
  const answer = { changed: 0, open: 0, next }
  if (rows.length > 0) transact(app, (tx) => { for (const row of rows) eraseRow(tx, asked, row, answer) })
  return answer
}

function eraseRow(tx, asked, row, answer) {
  const { collection, key, user } = asked
  if (key === "work" && eraseWork(tx, row, user, answer)) return
  const changed = redactRow(asked, row)
  const names = Object.keys(changed).filter((name) => changed[name] !== row[name])
  if (names.length === 0) return
  const columns = names.map((name) => `\`${name}\` = {:${name}}`).join(", ")
  answer.changed += tx.db().newQuery(`UPDATE \`${collection}\` SET ${columns} WHERE id = {:id}`)
    .bind({ ...changed, id: row.id }).execute().rowsAffected()
}

// Returns the columns to change. A row without a customer is the person's if it has the address.
function redactRow({ key, own, contacts, names }, row) {
  const text = Object.values(row).join("\n")
  const isOwn = own.some((id) => text.includes(id)) || (row.customer === "" && mentions(text, contacts))
  const known = [...contacts, ...names]
  if (isOwn && MIRRORS.includes(key)) return redactMirror(key, row, known)
  if (isOwn && key === "stripe_events") return { ...redactOthers(row, contacts), payload: redactEvent(row.payload, known) }
  return redactOthers(row, isOwn ? known : contacts)
}

function redactMirror(collection, row, known) {
  const changed = redactColumns(collection, row, known)
  if (row.stripe_object && row.stripe_object !== "null") changed.stripe_object = redactObjectText(row.stripe_object, known)
  return changed
}

function redactEvent(payload, known) {
  return payload ? redactEventText(payload, known) : payload
}

// Data of others that contains the address: only that goes.
function redactOthers(row, known) {
  const changed = {}
  for (const name in row) {
    const after = redactColumn(row[name], (value) => redactValues(value, known))
    if (name !== "id" && after !== row[name]) changed[name] = after
  }
  return changed
}

// Deletes work that has ended, the user's jobs, and mails that wait; a running job is cancelled. Returns whether the row
// is done with.
function eraseWork(tx, row, user, answer) {
  const isUsers = user !== "" && row.user === user
  if (row.status === "running") {
    answer.open += 1
    if (isUsers) tx.db().newQuery(`UPDATE ${TABLES.work} SET cancel = true WHERE id = {:id}`).bind({ id: row.id }).execute()
    return true
  }
  const isMail = row.status === "waiting" && row.handler === "mail"
  if (!isUsers && !isMail && !["done", "cancelled"].includes(row.status)) return false
  answer.changed += tx.db().newQuery(`DELETE FROM ${TABLES.work} WHERE id = {:id}`).bind({ id: row.id }).execute().rowsAffected()
  return true
}

// Completes a deletion: forgets what was searched for, and removes it from the request log and the write-ahead logs.
// Returns {changed}, the number of lines of the request log.
function finish(app, { user, customers, objects, contacts, vacuum }) {
  transact(app, (tx) => {
    for (const object of listMarked(user, customers, objects)) forget(tx, object)
    const bound = { user, ...bindAll(contacts) }
    tx.db().newQuery(`
      DELETE FROM ${TABLES.billing_contacts} WHERE (user = {:user} AND user != '') ${contacts.map((_, i) => `OR lower(email) = {:v${i}}`).join(" ")}
    `).bind(bound).execute()
  })
  const changed = eraseLogs(app, [...contacts, ...(user ? [user] : [])])
  // Rows that were changed or deleted before leave remains in free pages.
  if (vacuum) for (const database of [app.nonconcurrentDB(), app.auxNonconcurrentDB()]) database.newQuery("VACUUM").execute()
  emptyWriteAheadLogs(app)
  return { changed }
}

// The hash of the address in a deletion task serves the choice of a customer's next owner; an erased one has none.
function forget(tx, object) {
  tx.db().newQuery(`UPDATE ${TABLES.erasures} SET known = 'null', finished = ${NOW} WHERE object = {:object}`)
    .bind({ object }).execute()
  tx.db().newQuery(`
    UPDATE ${TABLES.payer_changes} SET address = ''
    WHERE kind = 'deleted' AND (customer = {:object} OR payer = {:object})
  `).bind({ object }).execute()
}

function bindAll(values) {
  return Object.fromEntries(values.map((value, i) => [`v${i}`, value]))
}

// Deletes the lines of PocketBase's request log that contain a value.
function eraseLogs(app, values) {
  if (values.length === 0) return 0
  const text = "lower(coalesce(data, '') || coalesce(message, ''))"
  const condition = values.map((_, i) => `instr(${text}, {:v${i}})`).join(" OR ")
  const database = app.auxNonconcurrentDB()
  database.newQuery("PRAGMA secure_delete = ON").execute()
  return database.newQuery(`DELETE FROM _logs WHERE ${condition}`).bind(bindAll(values)).execute().rowsAffected()
}

// Otherwise former contents stay in the files until later writes overwrite them. If readers or Litestream hold a log, it
// is emptied with a later checkpoint.
function emptyWriteAheadLogs(app) {
  for (const database of [app.nonconcurrentDB(), app.auxNonconcurrentDB()]) {
    for (let tries = 0; tries < CHECKPOINT_TRIES && isLogBusy(database); tries++) sleep(CHECKPOINT_PAUSE_MS)
  }
}

function isLogBusy(database) {
  const found = new DynamicModel({ busy: 0, log: 0, checkpointed: 0 })
  database.newQuery("PRAGMA wal_checkpoint(TRUNCATE)").one(found)
  return found.busy !== 0
}

// A transaction that overwrites deleted contents with zeros.
function transact(app, act) {
  untilUnlocked(() => runTransaction(app, (tx) => {
    tx.db().newQuery("PRAGMA secure_delete = ON").execute()
    act(tx)
  }))
}

module.exports = { begin, erasePart, finish }
