// What a signed-in user is to the shop: who they are, their Stripe customer, and the prices and the
// subscription asked for.

function readBuyer(app, user, asked) {
  return {
    user: {
      id: user.id, email: user.email(), verified: user.verified(), name: user.getString("name"),
    },
    customer: readCustomer(app, user.id),
    deleted_customers: countDeleted(app, user.id),
    prices: readPrices(app, asked.prices),
    subscription: readSubscription(app, user.id, asked.subscription),
  }
}

function readCustomer(app, userId) {
  const rows = app.findRecordsByFilter(
    "customers", "user = {:user} && primary = true && deleted = false", "", 1, 0, { user: userId })
  return rows.length ? rows[0].getString("stripe_id") : ""
}

function countDeleted(app, userId) {
  const found = new DynamicModel({ count: 0 })
  app.db().newQuery("SELECT count(*) AS count FROM customers WHERE user = {:user} AND deleted")
    .bind({ user: userId }).one(found)
  return found.count
}

// A subscription that the user may change: one of a customer of theirs. Null for any other, whether
// there is one or not.
function readSubscription(app, userId, stripeId) {
  if (typeof stripeId !== "string" || stripeId === "") return null
  const found = arrayOf(new DynamicModel({ customer: "", stamp: "" }))
  app.db().newQuery(`
    SELECT customer.stripe_id AS customer, subscription.stamp AS stamp
    FROM subscriptions subscription JOIN customers customer ON customer.id = subscription.customer
    WHERE subscription.stripe_id = {:stripeId} AND customer.user = {:userId}
  `).bind({ stripeId, userId }).all(found)
  return found.length ? { stripe_id: stripeId, customer: found[0].customer, stamp: found[0].stamp } : null
}

// A price is asked for by its Stripe id or its lookup key.
function readPrices(app, names) {
  if (!Array.isArray(names) || names.length === 0) return []
  const found = arrayOf(new DynamicModel({
    id: "", stripe_id: "", lookup_key: "", type: "", usage_type: "", currency: "", active: false,
    sold: false,
  }))
  app.db().newQuery(`
    SELECT price.id, price.stripe_id, price.lookup_key, price.type, price.usage_type,
           price.currency, price.active AND NOT price.deleted AS active,
           coalesce(product.active AND NOT product.deleted, true) AS sold
    FROM prices price LEFT JOIN products product ON product.id = price.product
    WHERE price.stripe_id IN (SELECT value FROM json_each({:names}))
       OR (price.lookup_key != '' AND price.lookup_key IN (SELECT value FROM json_each({:names})))
  `).bind({ names: JSON.stringify(names.map(String)) }).all(found)
  return found.map((row) => ({
    stripe_id: row.stripe_id, lookup_key: row.lookup_key, type: row.type,
    usage_type: row.usage_type, currency: row.currency, active: row.active && row.sold,
  }))
}

module.exports = { readBuyer }
