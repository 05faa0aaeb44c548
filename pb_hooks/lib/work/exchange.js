// One call of a process that works: settles its last items, renews its leases, and claims the next items.
// Why here: settle and claim share one transaction, and an idle call takes no write lock.
const { runTransaction } = require(`${__hooks}/lib/database/transaction.js`)
const { claim, isAnyDue, readClaimed } = require(`${__hooks}/lib/work/claim.js`)
const { renew, settle, settleWithWrites } = require(`${__hooks}/lib/work/settle.js`)

// Returns the JSON text of {settled, failed, renewed, items}: ids that changed, {id, error} of results whose writes failed, {id, cancel}
// of leases that the caller still has, and the claimed items. `again`: the same exchange was sent before, its answer
// lost.
function exchange(app, body) {
  const answer = { settled: [], failed: [], renewed: [] }
  let items = []
  for (const each of body.settle.filter(({ writes }) => writes.length)) {
    const { settled, failed } = settleWithWrites(app, each)
    answer.settled.push(...settled)
    if (failed) answer.failed.push(failed)
  }
  const plain = body.settle.filter(({ writes }) => !writes.length)
  const isChanging = plain.length > 0 || body.renew.length > 0
  // Without a reason to write anyway, look first. A settled item may have held back the next one of its key.
  const isClaiming = body.limit > 0 && (isChanging || isAnyDue(app, body.handlers))
  if (isChanging || isClaiming) {
    runTransaction(app, (tx) => {
      answer.settled.push(...settle(tx, plain))
      answer.renewed = renew(tx, body.renew, body.lease_seconds)
      if (isClaiming) items = claim(tx, body)
    })
  } else if (body.again) {
    items = readClaimed(app, body.token)
  }
  return `${JSON.stringify(answer).slice(0, -1)},"items":[${items.join(",")}]}`
}

module.exports = { exchange }
