// Limits of realtime subscriptions. PocketBase evaluates a collection's rule once per subscription and changed record,
// and allows 1,000 of them per connection, also to guests.
// Why here: clients subscribe at PocketBase, not at the gateway.
const { readRealtimeLimits } = require(`${__hooks}/lib/hook_settings.js`)

// Subscriptions of one connection to one topic that differ by their options only.
const MAX_PER_TOPIC = 10
const COUNT = "gatewaySubscriptions"
const OWNER = "gatewayOwner"

// Call this before PocketBase sets the subscriptions, which replace all earlier ones.
function limitSubscriptions(e) {
  const asked = [...new Set(e.subscriptions)].filter((topic) => topic !== "")
  if (e.hasSuperuserAuth()) return
  refuseMany(asked)
  const kept = e.auth ? asked : asked.filter((topic) => mayReachGuests(e.app, topic))
  const before = e.client.get(COUNT) || 0
  e.client.set(OWNER, ownerOf(e))
  // Stored before the check, so that concurrent requests count each other.
  e.client.set(COUNT, kept.length)
  if (kept.length > before && isOverLimit(e)) {
    e.client.set(COUNT, before)
    throw new TooManyRequestsError("Too many realtime subscriptions of this user or address.")
  }
  e.subscriptions = kept
}

function refuseMany(topics) {
  const most = readRealtimeLimits().connection
  if (most && topics.length > most) refuse(`A connection can have at most ${most} subscriptions.`)
  const numbers = {}
  for (const topic of topics) {
    const name = topic.split("?")[0].replace(/\/\*$/, "")
    numbers[name] = (numbers[name] || 0) + 1
    if (!most || numbers[name] <= MAX_PER_TOPIC) continue
    refuse(`A connection can have at most ${MAX_PER_TOPIC} subscriptions to one topic.`)
  }
}

function refuse(message) {
  const problem = new ValidationError("validation_too_many_subscriptions", message)
  throw new BadRequestError(message, { subscriptions: problem })
}

// The key of a user, or of all guests of one address (for IPv6 a /64 network).
function ownerOf(e) {
  if (e.auth) return `${e.auth.collection().id}/${e.auth.id}`
  const address = e.realIP()
  return address.includes(":") ? address.split(":").slice(0, 4).join(":") : address
}

// Whether all connections of the same user, or of guests at the same address, exceed the limit.
function isOverLimit(e) {
  const limits = readRealtimeLimits()
  const most = e.auth ? limits.user : limits.address
  const broker = $app.subscriptionsBroker()
  if (!most || (limits.connection && broker.totalClients() * limits.connection <= most)) return false
  const owner = e.client.get(OWNER)
  const clients = broker.clients()
  let total = 0
  for (const id in clients) {
    const client = clients[id]
    if (client.get(OWNER) === owner) total += client.get(COUNT) || 0
    if (total > most) return true
  }
  return false
}

// Guests never see a record if the rules require a user: PocketBase would evaluate such a subscription for nothing.
// When the guest signs in, PocketBase's SDK sends all topics again.
function mayReachGuests(app, topic) {
  const name = topic.split(/[/?]/)[0]
  let collection
  try {
    collection = app.findCachedCollectionByNameOrId(name)
  } catch {
    return true // A custom topic.
  }
  return !isClosed(collection.listRule) || !isClosed(collection.viewRule)
}

const ASKS_FOR_USER = /^@request\.auth\.(?:id\s*!=\s*(?:""|'')|collectionName\s*=\s*(?:"\w+"|'\w+'))\s*&&\s*/

// Whether no guest can satisfy a rule: it is for superusers only, or requires a user without an alternative.
function isClosed(rule) {
  if (rule === null || rule === undefined) return true
  if (!ASKS_FOR_USER.test(rule)) return false
  let depth = 0
  for (const part of rule.match(/\|\||[()]/g) || []) {
    if (part === "(") depth += 1
    else if (part === ")") depth -= 1
    else if (depth === 0) return false
  }
  return true
}

module.exports = { limitSubscriptions }
