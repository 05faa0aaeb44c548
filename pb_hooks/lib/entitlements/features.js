// What a product or price offers, by its metadata:
// Why here: entitlements are computed in the commit transaction.
//
//   features         names of features, parted by commas
//   limit_<feature>  how much of the feature, a number above 0; names the feature as well
//   duration_days    for how long a single payment gives them; without it, for ever
//
// A price's metadata goes before its product's, key by key.
const { TABLES } = require(`${__hooks}/lib/names.js`)
const { placeholders } = require(`${__hooks}/lib/database/sql.js`)

const LIMIT = "limit_"

// Returns {features, days}: a list of {feature, limit} (Infinity where none is named), and the duration in days
// (Infinity where none is named).
function readOffer(metadata) {
  const limits = {}
  for (const name of `${metadata.features || ""}`.split(",")) {
    if (name.trim()) limits[name.trim()] = Infinity
  }
  for (const key in metadata) {
    const feature = key.startsWith(LIMIT) ? key.slice(LIMIT.length).trim() : ""
    if (feature) limits[feature] = readPositive(metadata[key])
  }
  const features = Object.keys(limits).map((feature) => ({ feature, limit: limits[feature] }))
  return { features, days: readPositive(metadata.duration_days) }
}

function readPositive(text) {
  const found = Number(text)
  return found > 0 ? found : Infinity
}

// The part of the metadata that an offer is made of, as text to compare.
function describeOffer(metadata) {
  const keys = Object.keys(metadata)
    .filter((key) => key === "features" || key === "duration_days" || key.startsWith(LIMIT)).sort()
  return JSON.stringify(keys.map((key) => [key, metadata[key]]))
}

// Finds what items {price, product} (Stripe ids) offer. Returns a function from an item to {offer, type}.
function findOffers(tx, items) {
  const { prices, products } = findMetadata(tx, items)
  const known = {}
  return ({ price, product }) => (known[`${price} ${product}`] ||= describe(prices[price] || NO_PRICE, product, products))
}

function describe({ product: own, metadata, type }, product, products) {
  return { offer: readOffer(Object.assign({}, products[product || own], metadata)), type }
}

const NO_PRICE = { product: "", type: "", metadata: {} }

// Returns {prices, products} in one query: by Stripe id, products also by the record id that prices name.
function findMetadata(tx, items) {
  const prices = {}, products = {}
  if (items.length === 0) return { prices, products }
  const found = arrayOf(new DynamicModel({ price: "", id: "", product: "", type: "", metadata: "" }))
  const named = placeholders(unique(items, "price"))
  const offered = placeholders(unique(items, "product"), "p")
  tx.db().newQuery(`
    SELECT stripe_id AS price, '' AS id, product, type, coalesce(metadata, '') AS metadata FROM ${TABLES.prices}
    WHERE stripe_id IN (${named.list})
    UNION ALL
    SELECT '', id, stripe_id, '', coalesce(metadata, '') FROM ${TABLES.products}
    WHERE stripe_id IN (${offered.list}) OR id IN (SELECT product FROM ${TABLES.prices} WHERE stripe_id IN (${named.list}))
  `).bind(Object.assign(named.values, offered.values)).all(found)
  for (const { price, id, product, type, metadata } of found) {
    const about = JSON.parse(metadata || "{}") || {}
    if (price) prices[price] = { product, type, metadata: about }
    else products[id] = products[product] = about
  }
  return { prices, products }
}

function unique(items, name) {
  const values = {}
  for (const item of items) values[item[name] || ""] = true
  return Object.keys(values)
}

module.exports = { describeOffer, findOffers }
