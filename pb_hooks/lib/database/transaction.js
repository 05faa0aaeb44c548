// Transactions of the gateway's routes.
// Why here: PocketBase runs realtime and the onRecordAfter…Success hooks after the commit, but before runInTransaction
// returns. They can be slow or throw when nothing can be rolled back any more.

// Runs `act` in a transaction. `onCommit` is called right after the commit, before PocketBase's hooks. An error of
// those hooks is logged; errors of `act` and of the commit itself are thrown.
function runTransaction(app, act, onCommit) {
  let isCommitted = false
  try {
    app.runInTransaction((tx) => {
      // Registered before PocketBase's own callbacks, so called before them.
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
