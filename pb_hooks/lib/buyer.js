// What a signed-in user is to the shop: who they are and for whom they act, the Stripe customer, and the
// prices and the subscription asked for.
const { readPrices } = require(`${__hooks}/lib/prices.js`)
const { prepare } = require(`${__hooks}/lib/sql.js`)
const { readStanding } = require(`${__hooks}/lib/standing.js`)
const { findManaged } = require(`${__hooks}/lib/teams.js`)

// The body asks {prices, subscription, organization, order}: `organization` names who is to pay, and with
// an order, what the payer has is answered as well.
function readBuyer(app, user, info, asked) {
  const organization = asked.organization ? findManaged(app, info, asked.organization) : null
  if (asked.organization && !organization) throw new NotFoundError("There is no such organization.")
  const prices = readPrices(asked.prices)
  const payer = organization ? ["organization", organization.id] : ["user", user.id]
  return {
    user: {
      id: user.id, email: user.email(), verified: user.verified(), name: user.getString("name"),
    },
    organization: organization ? describe(app, organization) : null,
    ...readCustomers(payer),
    prices,
    subscription: readSubscription(app, user.id, info, asked.subscription),
    standing: asked.order ? readStanding(app, user, payer, prices, asked.order) : null,
  }
}

function describe(app, organization) {
  const members = countMembers(app, organization.id)
  return { id: organization.id, name: organization.getString("name"), members }
}

function countMembers(app, organization) {
  return app.countRecords("memberships", $dbx.hashExp({ organization }))
}

// The customer that is used for the payer, if there is one, and how many were deleted.
function readCustomers([column, id]) {
  const found = arrayOf(new DynamicModel({ stripe_id: "", primary: false, deleted: false }))
  prepare(`SELECT stripe_id, [[primary]], deleted FROM customers WHERE ${column} = {:id}`).bind({ id }).all(found)
  const used = found.find((customer) => customer.primary && !customer.deleted)
  return {
    customer: used ? used.stripe_id : "",
    deleted_customers: found.filter((customer) => customer.deleted).length,
  }
}

// A subscription that the user may change: one of a customer of theirs, or of an organization that they
// manage. Null for any other, whether there is one or not.
function readSubscription(app, userId, info, stripeId) {
  if (stripeId === "") return null
  const found = arrayOf(new DynamicModel({
    customer: "", stamp: "", user: "", organization: "",
  }))
  app.db().newQuery(`
    SELECT customer.stripe_id AS customer, subscription.stamp AS stamp,
           customer.user AS user, customer.organization AS organization
    FROM subscriptions subscription JOIN customers customer ON customer.id = subscription.customer
    WHERE subscription.stripe_id = {:stripeId}
  `).bind({ stripeId }).all(found)
  if (!found.length) return null
  const [{ customer, stamp, user, organization }] = found
  const isTheirs = user === userId || !!findManaged(app, info, organization)
  if (!isTheirs) return null
  const members = organization ? countMembers(app, organization) : 0
  return { stripe_id: stripeId, customer, stamp, organization, members }
}

module.exports = { readBuyer }
