// Open items that must not be deleted: their rows would stay out of date, and nothing would notice it.
// Why here: the dashboard deletes items by PocketBase's record API.

const KEPT = ["gateway.entitlements.recompute", "gateway.customers.move_rows"]

// Refuses to delete an open item that is the only trace of its work; items of other kinds are added again
// (lib/work/lost.js), or their loss changes no row.
function refuseLoss(item) {
  const handler = item.getString("handler")
  if (!KEPT.includes(handler) || ["done", "cancelled"].includes(item.getString("status"))) return
  throw new BadRequestError(`Entitlements or owners of rows would stay out of date. Hold ${handler} back by ` +
    `gateway work pause ${handler}, or let the item end.`)
}

module.exports = { refuseLoss }
