// What the seller decides about entitlements, from PocketBase's environment. Read there and nowhere
// else: rows are also computed when no gateway takes part, as when a user verifies an address.

const DAY = 86400000

// Returns {grace, revokes}: milliseconds that a subscription with an unpaid invoice still entitles, and
// whether what was refunded in full, or is disputed, does not.
function readPolicy() {
  return { grace: readGraceDays() * DAY, revokes: readOnRefund() === "revoke" }
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

module.exports = { DAY, readPolicy }
