// The features of a product or price, by its metadata:
//
//   features         names of features, separated by commas
//   limit_<feature>  limit of the feature, a number above 0; gives the feature as well
//   duration_days    days that a one-time payment gives the features for; without it, for ever
//
// A price's metadata overrides its product's, key by key.
// Why here: entitlements are computed in the commit transaction.
const { TABLES } = require(`${__hooks}/lib/names.js`)
const { placeholders } = require(`${__hooks}/lib/database/sql.js`)

const LIMIT = "limit_"

// Returns {features, days}: a list of {feature, limit}, and the duration in days; Infinity for no limit and no end.
function readFeatures(metadata) {
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

// Returns the metadata that features depend on, as text to compare.
function describeFeatures(metadata) {
  const keys = Object.keys(metadata)
    .filter((key) => key === "features" || key === "duration_days" || key.startsWith(LIMIT)).sort()
  return JSON.stringify(keys.map((key) => [key, metadata[key]]))
}

// Finds the features of items {price, product} (Stripe ids). Returns a function from an item to {given, type}.
function findFeatures(tx, items) {
  const { prices, products } = findMetadata(tx, items)
  const known = {}
  return ({ price, product }) => (known[`${price} ${product}`] ||= describe(prices[price] || NO_PRICE, product, products))
}

function describe({ product: own, metadata, type }, product, products) {
  return { given: readFeatures(Object.assign({}, products[product || own], metadata)), type }
}

const NO_PRICE = { product: "", type: "", metadata: {} }

// Returns {prices, products} by Stripe id, in one query; products also by their record id, which prices refer to.
function findMetadata(tx, items) {
  const prices = {}, products = {}
  if (items.length === 0) return { prices, products }
  const found = arrayOf(new DynamicModel({ price: "", id: "", product: "", type: "", metadata: "" }))
  const named = placeholders(unique(items, "price"))
  const wanted = placeholders(unique(items, "product"), "p")
  tx.db().newQuery(`
    SELECT stripe_id AS price, '' AS id, product, type, coalesce(metadata, '') AS metadata FROM ${TABLES.prices}
    WHERE stripe_id IN (${named.list})
    UNION ALL
    SELECT '', id, stripe_id, '', coalesce(metadata, '') FROM ${TABLES.products}
    WHERE stripe_id IN (${wanted.list}) OR id IN (SELECT product FROM ${TABLES.prices} WHERE stripe_id IN (${named.list}))
  `).bind(Object.assign(named.values, wanted.values)).all(found)
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

module.exports = { describeFeatures, findFeatures }
