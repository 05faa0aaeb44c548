// Used previews of subscription changes: each can be used once, across all gateways.
// Why here: concurrent gateways decide it by one atomic insert, which PocketBase's record API does not have.
const { NOW, unixToColumn } = require(`${__hooks}/lib/dates.js`)
const { TABLES } = require(`${__hooks}/lib/names.js`)

const DAY_SECONDS = 86400

// Marks a preview as used: {preview, key, subscription, date, now, is_credit}. Returns {key, date, changed}: the key of
// the request that used it first, the proration date, and whether stored events show a change of the subscription
// after the preview.
function usePreview(app, used) {
  const id = idOf(`preview|${used.preview}`)
  keep(app, id, `${used.key}|${decideDate(app, used)}`)
  const [key, date] = read(app, id).split("|")
  return { key, date: Number(date || used.date), changed: isChangedSince(app, used.subscription, used.date) }
}

// Returns the preview's date, or now. If an earlier date means more credit, only one preview per subscription and day
// keeps its date: otherwise a buyer who switches back and forth would use a larger plan for free.
function decideDate(app, { preview, subscription, date, now, is_credit }) {
  if (!is_credit) return date
  const id = idOf(`credit|${subscription}`)
  app.db().newQuery(`
    INSERT INTO ${TABLES.checkout_keys} (id, preview_use, since)
    VALUES ({:id}, {:named}, ${NOW})
    ON CONFLICT (id) DO UPDATE SET preview_use = excluded.preview_use, since = excluded.since
    WHERE CAST(substr(preview_use, instr(preview_use, '|') + 1) AS INTEGER) < {:before}
  `).bind({ id, named: `${preview}|${date}`, before: date - DAY_SECONDS }).execute()
  return read(app, id) === `${preview}|${date}` ? date : now
}

function keep(app, id, use) {
  app.db().newQuery(`
    INSERT OR IGNORE INTO ${TABLES.checkout_keys} (id, preview_use, since)
    VALUES ({:id}, {:use}, ${NOW})
  `).bind({ id, use }).execute()
}

function read(app, id) {
  const found = new DynamicModel({ preview_use: "" })
  app.db().newQuery(`SELECT preview_use FROM ${TABLES.checkout_keys} WHERE id = {:id}`).bind({ id }).one(found)
  return found.preview_use
}

function idOf(name) {
  return $security.sha256(name).slice(0, 15)
}

// Also finds a reverted change, which Stripe's subscription no longer shows.
function isChangedSince(app, subscription, date) {
  const found = new DynamicModel({ count: 0 })
  app.db().newQuery(`
    SELECT count(*) AS count FROM ${TABLES.stripe_events}
    WHERE object_id = {:subscription} AND created > {:since} AND json_valid(payload)
      AND (payload ->> '$.data.previous_attributes.items' IS NOT NULL
        OR payload ->> '$.data.previous_attributes.plan' IS NOT NULL
        OR payload ->> '$.data.previous_attributes.quantity' IS NOT NULL)
  `).bind({
    subscription: `${subscription}`, since: unixToColumn(date),
  }).one(found)
  return found.count > 0
}

module.exports = { usePreview }
