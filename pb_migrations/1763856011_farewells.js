/// <reference path="../pb_data/types.d.ts" />
// Index for customers that name a deleted payer: pb_hooks/lib/customers/customer_deletion.js.
const names = () => require(`${__hooks}/lib/migration_names.js`)

migrate((app) => {
  const tasks = names().find(app, "customer_tasks")
  tasks.addIndex(`idx_${tasks.name}_user`, false, "user", "")
  app.save(tasks)
}, (app) => {
  const tasks = names().find(app, "customer_tasks")
  tasks.removeIndex(`idx_${tasks.name}_user`)
  app.save(tasks)
})
