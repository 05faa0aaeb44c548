// Decides which gateway's registration is in force: of the gateway that started last, as long as it renews its lease. When
// the lease ends, or the gateway refuses connections, another running gateway takes over with its own.
// Why here: all gateways must get the same decision. It is kept in memory: after a restart of PocketBase the stored
// gateway has one lease of time to return.
const store = $app.store()
const LEASE_MS = 10000
// Time until the stored registration is compared again: it may have been restored from a backup.
const COMPARE_EVERY_MS = 60000

// The lease of one kind of registration, such as `transforms`. A gateway is named by the time of its start.
function leaseOf(kind) {
  const key = `gateway.${kind}.lease`

  const read = () => (store.get(key) || "").split(" ").map(Number)

  // Whether the gateway that started at `started` may replace the stored registration, of a gateway of `stored`; 0 if
  // nothing is stored.
  function mayTakeOver(started, stored) {
    // A gateway without transforms stores no rows, and holds the lease all the same.
    const newest = Math.max(stored, read()[0])
    return started >= newest || isOver(newest)
  }

  function isOver(newest) {
    const [holder, until] = read()
    if (holder === newest) return Date.now() > until
    // Registered before PocketBase's restart, or restored from a backup.
    renew(newest)
    return false
  }

  function renew(started, compared = Date.now()) {
    store.set(key, `${started} ${Date.now() + LEASE_MS} ${compared}`)
  }

  // Renews a lease that is not over; returns false if the registration must be compared.
  function isRenewed(started) {
    const [holder, until, compared] = read()
    const now = Date.now()
    if (holder !== started || now > until || now > compared + COMPARE_EVERY_MS) return false
    renew(started, compared)
    return true
  }

  // Ends the lease of a gateway that refuses connections.
  function end(started) {
    if (read()[0] === started) store.set(key, `${started} 0`)
  }

  return { end, isRenewed, mayTakeOver, renew }
}

module.exports = { leaseOf }
