/// <reference path="../pb_data/types.d.ts" />
// The latest tick of each schedule (docs/extending/schedule.md). Superusers only.
const names = () => require(`${__hooks}/lib/migration_names.js`)

migrate((app) => {
  app.save(new Collection({
    name: names().namesOf(app)("schedules"), type: "base",
    fields: [
      { name: "name", type: "text", max: 510 },
      { name: "cron", type: "text", max: 255 },
      { name: "timezone", type: "text", max: 100 },
      { name: "latest", type: "date" }, // the latest tick that a gateway has reported
      { name: "created", type: "date" },
    ],
  }))
}, (app) => {
  app.delete(names().find(app, "schedules"))
})
