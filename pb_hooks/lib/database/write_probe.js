// Writes one row of a separate table that is not a collection, so that no hook or subscriber sees it.
// Why here: only PocketBase writes its database.
const { NOW } = require(`${__hooks}/lib/dates.js`)
const { TABLES } = require(`${__hooks}/lib/names.js`)

function writeProbe(app) {
  app.db().newQuery(`
    INSERT INTO ${TABLES.write_probe} (id, written) VALUES (1, ${NOW})
    ON CONFLICT (id) DO UPDATE SET written = excluded.written
  `).execute()
}

module.exports = { writeProbe }
