// Decides which payer (lib/mirror/payer.js) owns a Stripe customer. In this order:
//   1. the payer that the customer's own metadata names now: only the seller's key can write there
//   2. NAMED: payers that its metadata, a subscription's or a Checkout Session's have ever named, the earliest first
//   3. ADDRESS: users whose verified e-mail address the customer has, the earliest first
// Events arrive in any order, so `customers.claims` keeps every claim that no other supersedes, as
// [kind, since, payer, primary], with a fifth `true` if the user has verified the address after the purchase.
// Why here: claims of concurrent gateways are merged in the commit transaction.
const { NAMES, TABLES } = require(`${__hooks}/lib/names.js`)
const { metadata: keys } = require(`${__hooks}/lib/vocabulary.json`)
const { placeholders } = require(`${__hooks}/lib/database/sql.js`)
const { findOne } = require(`${__hooks}/lib/mirror/records.js`)
const { moveRows } = require(`${__hooks}/lib/mirror/owners.js`)
const { choosePrimary } = require(`${__hooks}/lib/customers/primary_customer.js`)
const { updateEntitlements } = require(`${__hooks}/lib/entitlements/entitlements.js`)
const { columnsOf, namedPayer, payerExists, payerOf, readPayer } = require(`${__hooks}/lib/mirror/payer.js`)
const { addPayer, noPayers } = require(`${__hooks}/lib/entitlements/payers.js`)
const { enqueueParts } = require(`${__hooks}/lib/work/parts.js`)
const { findUserByEmail } = require(`${__hooks}/lib/customers/addresses.js`)
const { enqueueLateDeletion, mayClaimByEmail } = require(`${__hooks}/lib/customers/customer_deletion.js`)
const { cancelUpdates, enqueueTransfer, isBeingDeleted, isTransferPending } = require(`${__hooks}/lib/customers/stripe_changes.js`)
const { runTransaction } = require(`${__hooks}/lib/database/transaction.js`)

const NAMED = 0
const ADDRESS = 1

// Applies claims {customer, customer_id, user, organization or email, primary, proved, since}. Adds payers of changed
// rows to `payers`. With `again`, known claims are applied again.
function applyClaims(tx, claims, payers, again = false) {
  const known = readClaims(tx, claims)
  const changed = {}
  for (const each of claims) {
    const entry = entryOf(tx, each)
    const payer = entry[2]
    const kept = known[each.customer] || []
    if (!payer || (!again && kept.some((other) => supersedes(other, entry)))) continue
    if (!payerExists(tx, payer)) {
      if (each.primary) enqueueLateDeletion(tx, payer, each.customer_id)
      continue
    }
    known[each.customer] = merge(kept, entry)
    changed[each.customer] = each.customer_id
  }
  for (const id in changed) assign(tx, findOrCreate(tx, id, changed[id]), known[id], payers)
}

function entryOf(tx, { user, organization, email, primary, proved, since }) {
  const named = payerOf({ user, organization })
  if (named) return [NAMED, since, named, primary]
  const entry = [ADDRESS, since, findUserByEmail(tx, email)?.id || "", primary]
  return proved ? [...entry, true] : entry
}

function readClaims(tx, claims) {
  const known = {}
  if (claims.length === 0) return known
  const found = arrayOf(new DynamicModel({ id: "", claims: "" }))
  const { list, values } = placeholders(claims.map((claim) => claim.customer))
  tx.db().newQuery(`SELECT id, claims FROM ${TABLES.customers} WHERE id IN (${list})`).bind(values).all(found)
  for (const row of found) known[row.id] = JSON.parse(row.claims || "[]")
  return known
}

// Whether a claim supersedes another one.
function supersedes([kind, since, payer, primary, proved], other) {
  return payer === other[2] && kind <= other[0] && since <= other[1] && (primary || !other[3])
    && (proved || !other[4] || kind < other[0])
}

function merge(kept, entry) {
  if (kept.some((other) => supersedes(other, entry))) return kept
  return [...kept.filter((other) => !supersedes(entry, other)), entry].sort(byPriority)
}

function byPriority(a, b) {
  return a[0] - b[0] || a[1] - b[1] || (a[2] < b[2] ? -1 : a[2] > b[2] ? 1 : b[3] - a[3])
}

function findOrCreate(tx, id, stripeId) {
  const record = findOne(tx, "customers", id)
  if (record) return record
  const made = new Record(tx.findCachedCollectionByNameOrId(NAMES.customers))
  made.load({ id, stripe_id: stripeId })
  return made
}

// Gives a customer to the payer with the first valid claim, unless its deletion or transfer at Stripe is pending.
function assign(tx, record, claims, payers) {
  const before = readPayer(record)
  const payer = findOwner(tx, record, claims)
  const stays = payer === before || isPending(tx, record, before)
  if (!stays) {
    transfer(tx, record, payer, claims, payers)
  } else if (record.isNew()) {
    record.load({ claims: JSON.stringify(claims) })
    tx.saveNoValidate(record)
  } else {
    // By SQL, without hooks and realtime: no visible column has changed.
    tx.db().newQuery(`UPDATE ${TABLES.customers} SET claims = {:claims} WHERE id = {:id}`)
      .bind({ id: record.id, claims: JSON.stringify(claims) }).execute()
  }
  choosePrimary(tx, stays ? before : payer)
}

function findOwner(tx, record, claims) {
  const before = readPayer(record)
  const named = namedPayer(record)
  if (named && (named === before || payerExists(tx, named))) return named
  const stripeId = record.getString("stripe_id")
  const holder = claims.find(([kind, , payer]) => payerExists(tx, payer)
    && (kind !== ADDRESS || payer === before || mayClaimByEmail(tx, stripeId, payer)))
  return holder ? holder[2] : before
}

function isPending(tx, record, before) {
  const stripeId = record.getString("stripe_id")
  return isBeingDeleted(tx, stripeId) || (!!before && isTransferPending(tx, stripeId))
}

// Writes a customer's new owner and moves its rows.
function transfer(tx, record, payer, claims, payers) {
  const before = readPayer(record)
  record.load({ ...columnsOf(payer), primary: false, claims: JSON.stringify(claims) })
  tx.saveNoValidate(record)
  if (!moveRows(tx, record.id, columnsOf(payer), payers)) enqueueParts(tx, "gateway.customers.move_rows", record.id)
  addPayer(payers, before)
  addPayer(payers, payer)
  if (before) cancelUpdates(tx, record.getString("stripe_id"))
  choosePrimary(tx, before)
}

// Assigns customers with metadata that now names another payer, or none.
function assignNamed(tx, records, payers) {
  for (const record of records) assign(tx, record, claimsOf(record), payers)
}

function claimsOf(record) {
  return JSON.parse(record.getString("claims") || "[]")
}

// Completes a transfer that a superuser made in a customer's record: rows, claims, entitlements and Stripe's metadata.
function transferByHand(tx, record, before) {
  const payer = readPayer(record)
  const payers = noPayers()
  const since = Math.floor(Date.now() / 1000)
  const claims = merge(claimsOf(record), [NAMED, since, payer, true])
  record.load(columnsOf(before))
  transfer(tx, record, payer, claims, payers)
  choosePrimary(tx, payer)
  enqueueTransfer(tx, record.getString("stripe_id"), payer)
  updateEntitlements(tx, payers)
}

// Gives a user who has just verified an e-mail address the customers with that address and without an owner; not those
// of a deleted organization, which have the address of its buyer.
function claimByEmail(app, user) {
  if (!user.verified() || !user.email()) return
  runTransaction(app, (tx) => {
    const found = arrayOf(new DynamicModel({ id: "", stripe_id: "" }))
    // With `+`, SQLite uses the index of addresses: customers without an owner may be most of all.
    tx.db().newQuery(`
      SELECT id, stripe_id FROM ${TABLES.customers}
      WHERE email = {:email} COLLATE NOCASE AND +user = '' AND +organization = '' AND deleted = false
        AND NOT (json_valid(metadata)
          AND coalesce(json_extract(metadata, '$.${keys.organization}'), '') != '')
    `).bind({ email: user.email() }).all(found)
    const since = Math.floor(Date.now() / 1000)
    const payers = noPayers()
    applyClaims(tx, found.map((customer) => ({
      customer: customer.id, customer_id: customer.stripe_id, email: user.email(), primary: true, proved: true,
      since,
    })), payers, true)
    updateEntitlements(tx, payers)
  })
}

// Called when a deletion or transfer at Stripe is done: the customer's owner follows from its claims.
function release(tx, stripeId) {
  const [record] = tx.findRecordsByFilter(NAMES.customers, "stripe_id = {:stripeId}", "", 1, 0, { stripeId })
  if (!record) return
  const payers = noPayers()
  assign(tx, record, claimsOf(record), payers)
  updateEntitlements(tx, payers)
  const user = readPayer(record) ? null : findUserByEmail(tx, record.getString("email"))
  if (user) claimByEmail(tx, user)
}

module.exports = { ADDRESS, applyClaims, assignNamed, claimByEmail, release, transferByHand }
