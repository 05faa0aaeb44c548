// Whom the usage of a user, or of an organization, on a meter is reported for: the Stripe customer with a
// running subscription that the meter bills; the one of /checkout first, then the newest subscription's.
// "" if there is none.
function readMetered(app, { user, organization, meter }) {
  const [column, payer] = organization ? ["organization", organization] : ["user", user]
  if (!payer || !meter) return { customer: "" }
  const found = arrayOf(new DynamicModel({ customer: "" }))
  app.db().newQuery(`
    SELECT customer.stripe_id AS customer
    FROM subscriptions subscription
    JOIN customers customer ON customer.id = subscription.customer
    JOIN json_each(subscription.items) item
    JOIN prices price ON price.stripe_id = item.value ->> 'price'
    WHERE subscription.${column} = {:payer} AND customer.${column} = {:payer} AND NOT customer.deleted
      AND subscription.status IN ('trialing', 'active', 'past_due') AND price.meter = {:meter}
    ORDER BY customer.[[primary]] DESC, subscription.created DESC, subscription.id
    LIMIT 1
  `).bind({ payer: `${payer}`, meter: `${meter}` }).all(found)
  return { customer: found.length ? found[0].customer : "" }
}

module.exports = { readMetered }
