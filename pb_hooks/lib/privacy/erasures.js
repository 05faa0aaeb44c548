// The Stripe customers and purchases that must have no personal data: rows of `erasures`.
// Why here: a delivery is compared with them in the commit transaction, so that none brings personal data back.
const { NOW } = require(`${__hooks}/lib/dates.js`)
const { TABLES } = require(`${__hooks}/lib/names.js`)
const { placeholders } = require(`${__hooks}/lib/database/sql.js`)

// In PocketBase's store, which all VMs share: whether there are any, so that a delivery needs no query without.
const STORED = "gateway.erasures"

// Stripe ids of customers and of purchases without a customer, as JSON texts contain them.
const IDS = /"(?:cus|gcus|cs|pi|ch|py|seti)_[A-Za-z0-9_]+"/g

// Call it in a write transaction: then no other one adds the first row meanwhile.
function anyErasures(tx) {
  const store = tx.store()
  if (!store.has(STORED)) {
    const found = new DynamicModel({ any: false })
    tx.db().newQuery(`SELECT EXISTS (SELECT 1 FROM ${TABLES.erasures}) AS any`).one(found)
    store.set(STORED, found.any)
  }
  return store.get(STORED)
}

// Adds objects of a deleted user, "" for a guest; `known` is kept until the deletion is complete.
function addErasures(tx, user, objects, known) {
  tx.store().set(STORED, true)
  for (const object of objects) {
    tx.db().newQuery(`
      INSERT INTO ${TABLES.erasures} (object, user, known, created) VALUES ({:object}, {:user}, {:known}, ${NOW})
      ON CONFLICT (object) DO UPDATE SET known = excluded.known, finished = '', user = coalesce(nullif(excluded.user, ''), user)
    `).bind({ object, user, known: JSON.stringify(known) }).execute()
  }
}

// Returns the ids among these that are erased.
function findErased(tx, ids) {
  const { list, values } = placeholders([...new Set(ids)])
  const found = arrayOf(new DynamicModel({ object: "" }))
  if (ids.length) tx.db().newQuery(`SELECT object FROM ${TABLES.erasures} WHERE object IN (${list})`).bind(values).all(found)
  return new Set(found.map(({ object }) => object))
}

// Returns for each JSON text whether it names an erased object.
function nameErased(tx, texts) {
  const named = texts.map((text) => [...new Set((text || "").match(IDS) || [])].map((quoted) => quoted.slice(1, -1)))
  const erased = findErased(tx, named.flat())
  return named.map((ids) => ids.some((id) => erased.has(id)))
}

module.exports = { addErasures, anyErasures, findErased, nameErased }
