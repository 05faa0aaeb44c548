// Decides which gateway PocketBase calls: the one that started last, as long as it renews its lease. When the lease
// ends, or the gateway refuses connections, another running gateway takes over with its table and address.
// Why here: all gateways must get the same decision. It is kept in memory: after a restart of PocketBase the stored
// gateway has one lease of time to return.
const store = $app.store()
const LEASE = "gateway.transforms.lease"
const LEASE_MS = 10000
// Time until the stored table is compared again: it may have been restored from a backup.
const COMPARE_EVERY_MS = 60000

// Whether the gateway that started at `started` may replace what the one of `stored` registered.
function mayTakeOver(started, stored) {
  return started >= stored || isOver(stored)
}

function isOver(stored) {
  const [holder, until] = (store.get(LEASE) || "").split(" ").map(Number)
  if (holder === stored) return Date.now() > until
  // Registered before PocketBase's restart, or restored from a backup.
  renew(stored)
  return false
}

function renew(started, compared = Date.now()) {
  store.set(LEASE, `${started} ${Date.now() + LEASE_MS} ${compared}`)
}

// Renews a lease that is not over; returns false if the table must be compared.
function isRenewed(started) {
  const [holder, until, compared] = (store.get(LEASE) || "").split(" ").map(Number)
  const now = Date.now()
  if (holder !== started || now > until || now > compared + COMPARE_EVERY_MS) return false
  renew(started, compared)
  return true
}

// Ends the lease of a gateway that refuses connections.
function end(started) {
  if ((store.get(LEASE) || "").split(" ")[0] === `${started}`) store.set(LEASE, `${started} 0`)
}

module.exports = { end, isRenewed, mayTakeOver, renew }
