// Whose a customer is. A claim says that a customer is a payer's (lib/payer.js): by naming the user or
// the organization, or by an e-mail address that PocketBase has verified as the user's. Among those that
// name one, else among the others, the one that was stated first holds, whichever arrived first; so all
// are kept: customers.claims is [byEmail, since, payer, primary] each.
const { placeholders } = require(`${__hooks}/lib/sql.js`)
const { findOne } = require(`${__hooks}/lib/records.js`)
const { moveRows } = require(`${__hooks}/lib/owners.js`)
const { choosePrimary } = require(`${__hooks}/lib/primary.js`)
const { entitle } = require(`${__hooks}/lib/entitlements.js`)
const { columnsOf, payerExists, payerOf, readPayer } = require(`${__hooks}/lib/payer.js`)
const { addPayer, noPayers } = require(`${__hooks}/lib/payers.js`)
const { queue } = require(`${__hooks}/lib/follow_ups.js`)
const { forgetLate, isLeaving } = require(`${__hooks}/lib/farewells.js`)
const { runTransaction } = require(`${__hooks}/lib/transaction.js`)

// Claims {customer, customer_id, user, organization or email, primary, since}. Adds to `payers` those of whom
// something has changed.
function claim(tx, claims, payers) {
  const known = readClaims(tx, claims)
  const changed = {}
  for (const each of claims) {
    const named = payerOf(each)
    const payer = named || findUserByEmail(tx, each.email)?.id
    const entry = [named ? 0 : 1, each.since, payer, each.primary]
    const kept = known[each.customer] || []
    if (!payer || kept.some((other) => covers(other, entry))) continue
    if (!payerExists(tx, payer)) {
      if (each.primary) forgetLate(tx, payer, each.customer_id)
      continue
    }
    if ((!named || kept.length > 0) && isLeaving(tx, each.customer_id)) continue
    known[each.customer] = add(kept, entry)
    changed[each.customer] = each.customer_id
  }
  for (const id in changed) settle(tx, id, changed[id], known[id], payers)
}

function readClaims(tx, claims) {
  const known = {}
  if (claims.length === 0) return known
  const found = arrayOf(new DynamicModel({ id: "", claims: "" }))
  const { list, values } = placeholders(claims.map((claim) => claim.customer))
  tx.db().newQuery(`SELECT id, claims FROM customers WHERE id IN (${list})`).bind(values).all(found)
  for (const row of found) known[row.id] = JSON.parse(row.claims || "[]")
  return known
}

// Whether a claim leaves nothing for another of the same payer to say.
function covers([byEmail, since, payer, primary], other) {
  return payer === other[2] && byEmail <= other[0] && since <= other[1] && (primary || !other[3])
}

function add(kept, entry) {
  return [...kept.filter((other) => !covers(entry, other)), entry].sort(compare)
}

function compare(a, b) {
  return a[0] - b[0] || a[1] - b[1] || (a[2] < b[2] ? -1 : a[2] > b[2] ? 1 : b[3] - a[3])
}

// Gives a customer to the payer whose claim holds.
function settle(tx, id, stripeId, claims, payers) {
  let record = findOne(tx, "customers", id)
  if (!record) {
    record = new Record(tx.findCachedCollectionByNameOrId("customers"))
    record.load({ id, stripe_id: stripeId })
  }
  const before = readPayer(record)
  const holder = claims.find(([, , claimed]) => payerExists(tx, claimed))
  const payer = holder ? holder[2] : before
  if (payer === before) {
    // Nothing that anybody watches has changed.
    tx.db().newQuery("UPDATE customers SET claims = {:claims} WHERE id = {:id}")
      .bind({ id, claims: JSON.stringify(claims) }).execute()
  } else {
    record.load({ ...columnsOf(payer), primary: false, claims: JSON.stringify(claims) })
    tx.saveNoValidate(record)
    if (!moveRows(tx, id, columnsOf(payer), payers)) queue(tx, "owner", id)
    addPayer(payers, before)
    addPayer(payers, payer)
    choosePrimary(tx, before)
  }
  choosePrimary(tx, payer)
}

function findUserByEmail(tx, email) {
  const user = findByEmail(tx, email) || findByEmail(tx, email.toLowerCase())
  return user && user.verified() ? user : null
}

function findByEmail(tx, email) {
  try {
    return tx.findAuthRecordByEmail("users", email)
  } catch {
    return null
  }
}

// A user who has just proved an e-mail address gets the customers that have it; not those of an
// organization that is gone, whose address was that of whoever bought.
function claimByEmail(app, user) {
  if (!user.verified() || !user.email()) return
  runTransaction(app, (tx) => {
    const found = arrayOf(new DynamicModel({ id: "", stripe_id: "" }))
    // By the address: those that are nobody's may be all there are, hence no index for that (`+`).
    tx.db().newQuery(`
      SELECT id, stripe_id FROM customers
      WHERE email = {:email} COLLATE NOCASE AND +user = '' AND +organization = '' AND deleted = false
        AND NOT (json_valid(metadata)
          AND coalesce(json_extract(metadata, '$.pocketbase_organization'), '') != '')
        AND NOT EXISTS (SELECT 1 FROM customer_tasks
          WHERE customer = customers.stripe_id AND kind = 'forget' AND outcome = '')
    `).bind({ email: user.email() }).all(found)
    const since = Math.floor(Date.now() / 1000)
    const payers = noPayers()
    claim(tx, found.map((customer) => ({
      customer: customer.id, customer_id: customer.stripe_id, email: user.email(), primary: true, since,
    })), payers)
    entitle(tx, payers)
  })
}

// The same for an address, if it is proved to be somebody's.
function claimForOwner(app, email) {
  const user = findUserByEmail(app, email)
  if (user) claimByEmail(app, user)
}

module.exports = { claim, claimByEmail, claimForOwner }
