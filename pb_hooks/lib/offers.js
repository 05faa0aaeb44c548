// What a product or price offers, by its metadata:
//
//   features         names of features, parted by commas
//   limit_<feature>  how much of the feature, a number above 0; names the feature as well
//   duration_days    for how long a single payment gives them; without it, for ever
//
// A price's metadata goes before its product's, key by key.
const { TABLES } = require(`${__hooks}/lib/names.js`)
const { placeholders } = require(`${__hooks}/lib/sql.js`)

const LIMIT = "limit_"

// Returns {limits, days}: by feature its limit (Infinity where none is named), and the duration in days
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
  return { limits, days: readPositive(metadata.duration_days) }
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
  const prices = findPrices(tx, items.map((item) => item.price).filter(Boolean))
  const productOf = (item) => item.product ? toRecordId(item.product) : (prices[item.price] || {}).product
  const products = findProducts(tx, items.map(productOf).filter(Boolean))
  const known = {}
  return (item) => {
    const price = prices[item.price] || { metadata: {}, type: "" }
    const key = `${item.price} ${productOf(item)}`
    known[key] ||= readOffer(Object.assign({}, products[productOf(item)], price.metadata))
    return { offer: known[key], type: price.type }
  }
}

function findPrices(tx, stripeIds) {
  const prices = {}
  if (stripeIds.length === 0) return prices
  const found = arrayOf(new DynamicModel({ stripe_id: "", product: "", type: "", metadata: "" }))
  const { list, values } = placeholders([...new Set(stripeIds)])
  tx.db().newQuery(`SELECT stripe_id, product, type, coalesce(metadata, '') AS metadata FROM ${TABLES.prices}
    WHERE stripe_id IN (${list})`).bind(values).all(found)
  for (const { stripe_id, product, type, metadata } of found) {
    prices[stripe_id] = { product, type, metadata: JSON.parse(metadata || "{}") || {} }
  }
  return prices
}

function findProducts(tx, ids) {
  const products = {}
  if (ids.length === 0) return products
  const found = arrayOf(new DynamicModel({ id: "", metadata: "" }))
  const { list, values } = placeholders([...new Set(ids)])
  tx.db().newQuery(`SELECT id, coalesce(metadata, '') AS metadata FROM ${TABLES.products} WHERE id IN (${list})`)
    .bind(values).all(found)
  for (const { id, metadata } of found) products[id] = JSON.parse(metadata || "{}") || {}
  return products
}

// The id of the row that mirrors a Stripe object, as gateway/ids.py makes it.
function toRecordId(stripeId) {
  return $security.sha256(stripeId).slice(0, 15)
}

module.exports = { describeOffer, findOffers }
