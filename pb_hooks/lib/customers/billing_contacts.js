// Keeps the e-mail address of an organization's customer at Stripe that of a manager, so that receipts and failed
// payments reach one. It follows from the rows, so it does not matter how the buyer left.
// Why here: a member's address is stored in the transaction that removes the member or changes the address.
const { NOW, sqlFromNow } = require(`${__hooks}/lib/dates.js`)
const { NAMES, TABLES } = require(`${__hooks}/lib/names.js`)
const { enqueueUpdate } = require(`${__hooks}/lib/customers/stripe_changes.js`)
const { ENDED } = require(`${__hooks}/lib/statuses.js`)
const { ORGANIZATION } = require(`${__hooks}/lib/mirror/payer.js`)

const MAX_CUSTOMERS = 100

// Customers with an address that was not looked up yet; without an address, only once a subscription runs.
const UNKNOWN = `
  SELECT customer.stripe_id, customer.organization, customer.email FROM ${TABLES.customers} customer
  WHERE customer.organization > '' AND customer.deleted = false
    AND NOT EXISTS (SELECT 1 FROM ${TABLES.billing_contacts} contact
      WHERE contact.customer = customer.stripe_id AND contact.email = customer.email)
    AND (customer.email != '' OR EXISTS (SELECT 1 FROM ${TABLES.subscriptions}
      WHERE organization = customer.organization AND status NOT IN (${ENDED})))
  LIMIT ${MAX_CUSTOMERS}`

// Customers with the address of a former manager, or the old address of a manager. A webhook brings the new address
// back from Stripe.
const OUTDATED = `
  SELECT customer.stripe_id, customer.organization, contact.user FROM ${TABLES.billing_contacts} contact
  JOIN ${TABLES.customers} customer ON customer.stripe_id = contact.customer AND customer.email = contact.email
  LEFT JOIN ${TABLES.memberships} membership ON membership.organization = customer.organization
    AND membership.user = contact.user AND membership.role IN ('owner', 'admin')
  LEFT JOIN ${TABLES.users} ON ${TABLES.users}.id = membership.user AND ${TABLES.users}.email != ''
  WHERE contact.user != '' AND customer.deleted = false AND (${TABLES.users}.id IS NULL OR (
      ${TABLES.users}.email != contact.email COLLATE NOCASE
      AND contact.asked < ${sqlFromNow("'-10 minutes'")}))
    AND EXISTS (SELECT 1 FROM ${TABLES.memberships} other JOIN ${TABLES.users} ON ${TABLES.users}.id = other.user
      WHERE other.organization = customer.organization AND other.role IN ('owner', 'admin') AND ${TABLES.users}.email != '')
  LIMIT ${MAX_CUSTOMERS}`

function checkContacts(app) {
  if (find(app, UNKNOWN).length > 0) app.runInTransaction((tx) => find(tx, UNKNOWN).forEach((row) => addContact(tx, row)))
  if (find(app, OUTDATED).length > 0) app.runInTransaction((tx) => find(tx, OUTDATED).forEach((row) => replaceContact(tx, row)))
}

function find(app, sql) {
  const found = arrayOf(new DynamicModel({ stripe_id: "", organization: "", email: "", user: "" }))
  app.db().newQuery(sql).all(found)
  return found.map((row) => Object.assign({}, row))
}

function addContact(tx, { stripe_id: customer, organization, email }) {
  const user = email ? findMember(tx, organization, email) : findManager(tx, organization, "")
  save(tx, { customer, user, email })
}

function replaceContact(tx, { stripe_id: customer, organization, user }) {
  tx.db().newQuery(`UPDATE ${TABLES.billing_contacts} SET user = {:user}, asked = ${NOW} WHERE customer = {:customer}`)
    .bind({ customer, user: findManager(tx, organization, user) }).execute()
  enqueueUpdate(tx, ORGANIZATION + organization, customer)
}

function save(tx, { customer, user, email }) {
  tx.db().newQuery(`
    INSERT INTO ${TABLES.billing_contacts} (customer, user, email, asked) VALUES ({:customer}, {:user}, {:email}, '')
    ON CONFLICT (customer) DO UPDATE SET user = excluded.user, email = excluded.email, asked = ''
  `).bind({ customer, user, email }).execute()
}

function findMember(tx, organization, email) {
  const found = arrayOf(new DynamicModel({ user: "" }))
  tx.db().newQuery(`
    SELECT membership.user FROM ${TABLES.memberships} membership JOIN ${TABLES.users} ON ${TABLES.users}.id = membership.user
    WHERE membership.organization = {:organization} AND ${TABLES.users}.email = {:email} COLLATE NOCASE
    ORDER BY membership.created LIMIT 1
  `).bind({ organization, email }).all(found)
  return found.length ? found[0].user : ""
}

// The same user if they still manage it, otherwise the oldest owner, otherwise the oldest admin.
function findManager(tx, organization, user) {
  const found = arrayOf(new DynamicModel({ user: "" }))
  tx.db().newQuery(`
    SELECT membership.user FROM ${TABLES.memberships} membership JOIN ${TABLES.users} ON ${TABLES.users}.id = membership.user
    WHERE membership.organization = {:organization} AND membership.role IN ('owner', 'admin') AND ${TABLES.users}.email != ''
    ORDER BY membership.user = {:user} DESC, membership.role = 'owner' DESC, membership.created, membership.id LIMIT 1
  `).bind({ organization, user }).all(found)
  return found.length ? found[0].user : ""
}

// Stores which customers have a member's address, before the member leaves or changes it.
function saveContacts(tx, user, email) {
  if (!email) return
  const found = arrayOf(new DynamicModel({ customer: "", email: "" }))
  tx.db().newQuery(`
    SELECT customer.stripe_id AS customer, customer.email FROM ${TABLES.memberships} membership
    JOIN ${TABLES.customers} customer ON customer.organization = membership.organization
    WHERE membership.user = {:user} AND customer.deleted = false AND customer.email = {:email} COLLATE NOCASE
  `).bind({ user, email }).all(found)
  for (const row of found) save(tx, { customer: row.customer, user, email: row.email })
}

// Enqueues an update of each organization that has the user, with a changed address, as its contact.
function enqueueAddressUpdates(tx, user) {
  const found = arrayOf(new DynamicModel({ customer: "", organization: "" }))
  tx.db().newQuery(`
    SELECT contact.customer, customer.organization FROM ${TABLES.billing_contacts} contact
    JOIN ${TABLES.customers} customer ON customer.stripe_id = contact.customer AND customer.email = contact.email
    JOIN ${TABLES.memberships} membership ON membership.organization = customer.organization AND membership.user = contact.user
    WHERE contact.user = {:user} AND customer.deleted = false AND membership.role IN ('owner', 'admin')
  `).bind({ user }).all(found)
  for (const { customer, organization } of found) enqueueUpdate(tx, ORGANIZATION + organization, customer)
}

// Enqueues the organization's changed name.
function enqueueNameUpdates(tx, organization) {
  for (const customer of tx.findRecordsByFilter(
    NAMES.customers, "organization = {:organization} && primary = true && deleted = false", "", 0, 0, { organization },
  )) enqueueUpdate(tx, ORGANIZATION + organization, customer.getString("stripe_id"))
}

module.exports = { checkContacts, enqueueAddressUpdates, enqueueNameUpdates, saveContacts }
