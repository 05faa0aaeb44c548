// Reads the buyer: the user of a request, the payer, the Stripe customer, and the prices and subscription of the
// request.
// Why here: PocketBase checks the user's own token and the update rule of organizations; one call instead of several.
const { NAMES, TABLES } = require(`${__hooks}/lib/names.js`)
const { readPayer } = require(`${__hooks}/lib/mirror/payer.js`)
const { readPrices } = require(`${__hooks}/lib/checkout/prices.js`)
const { readPurchaseHistory, readSubscriptions } = require(`${__hooks}/lib/checkout/purchase_history.js`)
const { RUNNING } = require(`${__hooks}/lib/statuses.js`)
const { findManaged } = require(`${__hooks}/lib/teams/teams.js`)

// asked  {prices, subscription, organization, order, owner_of, others}: `organization` is the payer, if not the user; with
//        an order, the answer has the payer's purchase history as well; `others` is about the subscription's payer
function readBuyer(app, user, info, asked) {
  const organization = asked.organization ? findManaged(app, info, asked.organization) : null
  if (asked.organization && !organization) throw new NotFoundError("This organization does not exist, or you may not manage it.")
  const subscription = readSubscription(app, user.id, info, asked)
  const prices = readPrices(subscription ? asked.prices.concat(subscription.other_prices) : asked.prices)
  const payer = organization ? ["organization", organization.id] : ["user", user.id]
  return {
    user: {
      id: user.id, email: user.email(), verified: user.verified(), name: user.getString("name"),
    },
    organization: organization ? describe(app, organization) : null,
    ...readCustomers(payer),
    prices,
    subscription,
    owner: readOwnership(app, user.id, info, asked.owner_of),
    history: asked.order ? readPurchaseHistory(app, user, payer, prices, asked.order) : null,
  }
}

function describe(app, organization) {
  const members = countMembers(app, organization.id)
  return { id: organization.id, name: organization.getString("name"), members }
}

function countMembers(app, organization) {
  return app.countRecords(NAMES.memberships, $dbx.hashExp({ organization }))
}

// customer         the primary customer, which is used for purchases; "" without one
// portal_customer  the one to manage: with a running subscription, else the primary one, else the oldest
function readCustomers([column, id]) {
  const found = arrayOf(new DynamicModel({ stripe_id: "", primary: false, deleted: false, running: false }))
  $app.db().newQuery(`
    SELECT stripe_id, [[primary]], deleted, EXISTS (
      SELECT 1 FROM ${TABLES.subscriptions} WHERE customer = ${TABLES.customers}.id AND status IN (${RUNNING})) AS running
    FROM ${TABLES.customers} WHERE ${column} = {:id} ORDER BY running DESC, [[primary]] DESC, created, id
  `).bind({ id }).all(found)
  const [managed] = found.filter((customer) => !customer.deleted)
  const used = found.find((customer) => customer.primary && !customer.deleted)
  return {
    customer: used ? used.stripe_id : "",
    portal_customer: managed ? managed.stripe_id : "",
    deleted_customers: found.filter((customer) => customer.deleted).length,
  }
}

// The owner of a customer, as far as the caller may know: "theirs" (also of an organization that they manage),
// "another's", or "" without an owner.
function readOwnership(app, userId, info, stripeId) {
  if (stripeId === "") return ""
  const [customer] = app.findRecordsByFilter(NAMES.customers, "stripe_id = {:stripeId}", "", 1, 0, { stripeId })
  if (!customer || !readPayer(customer)) return ""
  const isTheirs = customer.getString("user") === userId
    || !!findManaged(app, info, customer.getString("organization"))
  return isTheirs ? "theirs" : "another's"
}

// A subscription that the user may change: of a customer of theirs, or of an organization that they manage. Null for
// any other, also if it exists.
function readSubscription(app, userId, info, { subscription: stripeId, others }) {
  if (stripeId === "") return null
  const found = arrayOf(new DynamicModel({
    customer: "", version: "", user: "", organization: "",
  }))
  app.db().newQuery(`
    SELECT customer.stripe_id AS customer, subscription.version AS version,
           customer.user AS user, customer.organization AS organization
    FROM ${TABLES.subscriptions} subscription JOIN ${TABLES.customers} customer ON customer.id = subscription.customer
    WHERE subscription.stripe_id = {:stripeId}
  `).bind({ stripeId }).all(found)
  if (!found.length) return null
  const [{ customer, version, user, organization }] = found
  const isTheirs = user === userId || !!findManaged(app, info, organization)
  if (!isTheirs) return null
  const members = organization ? countMembers(app, organization) : 0
  const payer = organization ? ["organization", organization] : ["user", user]
  const other_prices = others ? readOtherPrices(app, payer, stripeId) : []
  return { stripe_id: stripeId, customer, version, organization, members, other_prices }
}

function readOtherPrices(app, payer, stripeId) {
  return readSubscriptions(app, payer).filter(({ stripe_id }) => stripe_id !== stripeId).flatMap(({ prices }) => prices)
}

module.exports = { readBuyer }
