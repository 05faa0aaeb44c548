// Prices with the seller's terms: price metadata and product metadata.
// Why here: part of the buyer, which PocketBase answers in one call.
const { TABLES } = require(`${__hooks}/lib/names.js`)

// More than one purchase and all running subscriptions together have.
const MAX_PRICES = 500

// Finds prices by Stripe id or lookup key.
function readPrices(names) {
  if (!Array.isArray(names) || names.length === 0) return []
  const found = arrayOf(new DynamicModel({
    stripe_id: "", lookup_key: "", type: "", currency: "", active: false, sold: false,
    usage_type: "", product: "", metadata: "", product_metadata: "",
  }))
  $app.db().newQuery(SELECT).bind({ names: JSON.stringify(names.slice(0, MAX_PRICES).map(String)) }).all(found)
  return found.map((row) => ({
    stripe_id: row.stripe_id, lookup_key: row.lookup_key, type: row.type,
    currency: row.currency, active: row.active && row.sold, usage_type: row.usage_type,
    product: row.product,
    metadata: parse(row.metadata), product_metadata: parse(row.product_metadata),
  }))
}

const SELECT = `
  SELECT price.stripe_id, price.lookup_key, price.type, price.currency,
         price.usage_type, price.active AND NOT price.deleted AS active,
         coalesce(product.active AND NOT product.deleted, true) AS sold,
         coalesce(product.stripe_id, '') AS product, coalesce(price.metadata, '') AS metadata,
         coalesce(product.metadata, '') AS product_metadata
  FROM ${TABLES.prices} price LEFT JOIN ${TABLES.products} product ON product.id = price.product
  WHERE price.stripe_id IN (SELECT value FROM json_each({:names}))
     OR (price.lookup_key != '' AND price.lookup_key IN (SELECT value FROM json_each({:names})))
`

function parse(metadata) {
  return JSON.parse(metadata || "{}") || {}
}

module.exports = { readPrices }
