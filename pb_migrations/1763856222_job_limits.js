/// <reference path="../pb_data/types.d.ts" />
// An index for the limits of jobs per user: the one by user leaves out guests.
const names = () => require(`${__hooks}/lib/migration_names.js`)

const indexOf = (name) => `idx_${name}_jobs`

migrate((app) => {
  const work = names().find(app, "work")
  work.addIndex(indexOf(work.name), false, "handler, user, created", "kind = 'job'")
  app.save(work)
}, (app) => {
  const work = names().find(app, "work")
  work.removeIndex(indexOf(work.name))
  app.save(work)
})
