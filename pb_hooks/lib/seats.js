// Seats that follow the members of an organization, where the metadata of a price or its product says
// `seats` = `members`. Nothing is queued: whatever was missed is seen the next time.
const MOST = 100

// Returns {seats, next}: of each [{item, stamp, members}], Stripe's subscription item, which state of its
// subscription was looked at, and how many members there are; `next` is where to go on, "" at the end.
// By `>` and not `!=`, and grouped by `+id`, so that SQLite uses the index of organizations and does not
// walk through all subscriptions.
function findWrongSeats(app, after) {
  const found = arrayOf(new DynamicModel({ item: "", stamp: "", members: 0 }))
  app.db().newQuery(`
    SELECT item.value ->> 'id' AS item, subscription.stamp AS stamp,
           max(1, count(membership.id)) AS members
    FROM subscriptions subscription
    JOIN json_each(subscription.items) item
    LEFT JOIN prices price ON price.stripe_id = item.value ->> 'price'
    LEFT JOIN products product ON product.stripe_id = item.value ->> 'product'
    LEFT JOIN memberships membership ON membership.organization = subscription.organization
    WHERE subscription.organization > '' AND item.value ->> 'id' > {:after}
      AND subscription.status IN ('trialing', 'active', 'past_due')
      AND coalesce(price.metadata ->> 'seats', product.metadata ->> 'seats') = 'members'
    GROUP BY +subscription.id, item.key
    HAVING max(1, count(membership.id)) != coalesce(item.value ->> 'quantity', 0)
    ORDER BY item LIMIT ${MOST}
  `).bind({ after }).all(found)
  const seats = found.map(({ item, stamp, members }) => ({ item, stamp, members }))
  return { seats, next: seats.length < MOST ? "" : seats[MOST - 1].item }
}

module.exports = { findWrongSeats }
