// Transactions of the gateway's routes. PocketBase runs realtime and the onRecordAfter…Success hooks after the
// commit, but before runInTransaction returns: they are slow, or throw, when nothing can be undone any more.

// Runs `act` in a transaction. `onCommit` is called right after the commit, before PocketBase's hooks. An error of
// those hooks is logged; errors of `act` and of the commit itself are thrown.
function runTransaction(app, act, onCommit) {
  let isCommitted = false
  try {
    app.runInTransaction((tx) => {
      // Registered first, so called first.
      tx.txInfo().onComplete((error) => {
        if (error) return
        isCommitted = true
        if (onCommit) onCommit()
      })
      act(tx)
    })
  } catch (error) {
    if (!isCommitted) throw error
    app.logger().error("A hook failed after the commit; the rows are stored.", "error", `${error}`)
  }
}

module.exports = { runTransaction }
