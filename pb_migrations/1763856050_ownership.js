/// <reference path="../pb_data/types.d.ts" />
// Users are found by their address regardless of case. The hash of a deleted user's verified address is stored with the
// deletion of the customers: only a user who verifies the same address gets those that remain
// (pb_hooks/lib/customers/customer_deletion.js). For users who were deleted before, no hash is known, so no user gets
// theirs by an address.
const names = () => require(`${__hooks}/lib/migration_names.js`)

migrate((app) => {
  const users = names().find(app, "users")
  users.addIndex(`idx_${users.name}_email_nocase`, false, "email COLLATE NOCASE", "")
  app.save(users)
  const tasks = names().find(app, "customer_tasks")
  tasks.fields.add(new TextField({ name: "address", hidden: true }))
  app.save(tasks)
}, (app) => {
  const tasks = names().find(app, "customer_tasks")
  app.db().newQuery(`DELETE FROM ${tasks.name} WHERE kind = 'move'`).execute()
  tasks.fields.removeByName("address")
  app.save(tasks)
  const users = names().find(app, "users")
  users.removeIndex(`idx_${users.name}_email_nocase`)
  app.save(users)
})
