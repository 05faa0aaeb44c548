// Settings that only the hooks read: policy of entitlements, and limits of realtime.
// Why here: PocketBase has its own environment, and computes entitlements while no gateway runs.

const DAY_MS = 86400000

// Returns {grace, revokes}: the milliseconds for which a subscription with an unpaid invoice still entitles, and
// whether a full refund or a dispute revokes entitlements.
function readPolicy() {
  return { grace: readGraceDays() * DAY_MS, revokes: readOnRefund() === "revoke" }
}

function readGraceDays() {
  const text = $os.getenv("GATEWAY_GRACE_DAYS") || "7"
  if (!/^\d{1,3}(\.\d+)?$/.test(text)) throw new Error("GATEWAY_GRACE_DAYS must be days from 0 to 999.")
  return Number(text)
}

function readOnRefund() {
  const text = $os.getenv("GATEWAY_ON_REFUND") || "revoke"
  if (text !== "revoke" && text !== "keep") throw new Error("GATEWAY_ON_REFUND must be revoke or keep.")
  return text
}

// Default numbers of realtime subscriptions; 0 disables a limit.
const REALTIME = {
  GATEWAY_REALTIME_SUBSCRIPTIONS: 100,
  GATEWAY_REALTIME_SUBSCRIPTIONS_PER_USER: 300,
  GATEWAY_REALTIME_SUBSCRIPTIONS_PER_ADDRESS: 1000,
}

// Returns {connection, user, address}.
function readRealtimeLimits() {
  const [connection, user, address] = Object.keys(REALTIME).map(readLimit)
  return { connection, user, address }
}

function readLimit(name) {
  const text = $os.getenv(name) || `${REALTIME[name]}`
  if (!/^\d{1,6}$/.test(text)) throw new Error(`${name} must be a number from 0 to 999999.`)
  return Number(text)
}

module.exports = { DAY_MS, readPolicy, readRealtimeLimits }
