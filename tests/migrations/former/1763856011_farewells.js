/// <reference path="../pb_data/types.d.ts" />
// A customer that names a deleted payer is looked up by the payer: pb_hooks/lib/customers/customer_deletion.js.

migrate((app) => {
  const tasks = app.findCollectionByNameOrId("customer_tasks")
  tasks.addIndex("idx_customer_tasks_user", false, "user", "")
  app.save(tasks)
}, (app) => {
  const tasks = app.findCollectionByNameOrId("customer_tasks")
  tasks.removeIndex("idx_customer_tasks_user")
  app.save(tasks)
})
