// Seats that follow the members of an organization, where the metadata of a price or its product has `seats` =
// `members`: for recurring prices with a quantity, not for metered ones. Nothing is queued: each check compares all
// rows. The policy (proration, limits) is in gateway/teams/.
// Why here: the join over members and JSON columns is one SQL query; PocketBase's record API can't do it.
const { TABLES } = require(`${__hooks}/lib/names.js`)
const { readPrices } = require(`${__hooks}/lib/checkout/prices.js`)
const { ENTITLING } = require(`${__hooks}/lib/statuses.js`)
const { metadata } = require(`${__hooks}/lib/vocabulary.json`)

const MAX_ITEMS = 100

// Returns {seats, next}. `next` is the value of `after` for the next call, "" at the end. Each seat has
//   item      Stripe's subscription item
//   version     the version of the subscription's row
//   members   the number of members
//   quantity  the number of seats that are paid for
//   price     the price with its terms
//   schedule  the schedule of a change that the gateway has planned, "" without one
// Omits subscriptions with a schedule of the seller's and those paused with `void`; they are updated when that ends.
// With `>` instead of `!=`, and grouped by `+id`, SQLite uses the index of organizations instead of scanning all
// subscriptions.
function findWrongSeats(app, after) {
  const found = arrayOf(new DynamicModel({
    item: "", version: "", members: 0, quantity: 0, price: "", schedule: "",
  }))
  app.db().newQuery(`
    SELECT item.value ->> 'id' AS item, subscription.version AS version,
           max(1, count(membership.id)) AS members,
           coalesce(item.value ->> 'quantity', 0) AS quantity, price.stripe_id AS price,
           coalesce(max(schedule.stripe_id), '') AS schedule
    FROM ${TABLES.subscriptions} subscription
    JOIN json_each(subscription.items) item
    JOIN ${TABLES.prices} price ON price.stripe_id = item.value ->> 'price'
    LEFT JOIN ${TABLES.products} product ON product.stripe_id = item.value ->> 'product'
    LEFT JOIN ${TABLES.subscription_schedules} schedule
      ON schedule.customer = subscription.customer AND schedule.subscription = subscription.id
      AND schedule.status = 'active'
    LEFT JOIN ${TABLES.memberships} membership ON membership.organization = subscription.organization
    WHERE subscription.organization > '' AND item.value ->> 'id' > {:after}
      AND subscription.status IN (${ENTITLING})
      AND (NOT json_valid(subscription.pause_collection)
        OR subscription.pause_collection ->> 'behavior' IS NOT 'void')
      AND (schedule.id IS NULL OR (json_valid(schedule.metadata)
        AND schedule.metadata ->> '${metadata.schedule}' IS NOT NULL))
      AND price.type = 'recurring' AND price.usage_type != 'metered'
      AND coalesce(price.metadata ->> 'seats', product.metadata ->> 'seats') = 'members'
    GROUP BY +subscription.id, item.key
    HAVING max(1, count(membership.id)) != coalesce(item.value ->> 'quantity', 0)
    ORDER BY item LIMIT ${MAX_ITEMS}
  `).bind({ after }).all(found)
  const prices = {}
  for (const price of readPrices([...new Set(found.map(({ price }) => price))])) prices[price.stripe_id] = price
  const seats = found.map(({ item, version, members, quantity, price, schedule }) => ({
    item, version, members, quantity, price: prices[price], schedule,
  }))
  return { seats, next: seats.length < MAX_ITEMS ? "" : seats[MAX_ITEMS - 1].item }
}

module.exports = { findWrongSeats }
