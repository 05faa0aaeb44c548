// Previews of subscription changes that are used: each one once, by every gateway together.

// Marks a preview as used: {preview, key, subscription, date}. Returns {key, changed}: the key of the request
// that used it first, and whether the subscription was changed after the preview, as far as events have said.
function usePreview(app, { preview, key, subscription, date }) {
  const id = $security.sha256(`preview|${preview}`).slice(0, 15)
  app.db().newQuery(`
    INSERT OR IGNORE INTO checkout_keys (id, fingerprint, since)
    VALUES ({:id}, {:key}, strftime('%Y-%m-%d %H:%M:%fZ'))
  `).bind({ id, key: `${key}` }).execute()
  const found = new DynamicModel({ fingerprint: "" })
  app.db().newQuery("SELECT fingerprint FROM checkout_keys WHERE id = {:id}").bind({ id }).one(found)
  return { key: found.fingerprint, changed: isChangedSince(app, subscription, date) }
}

// Also a change that was taken back meanwhile, of which Stripe's subscription shows nothing.
function isChangedSince(app, subscription, date) {
  const found = new DynamicModel({ count: 0 })
  app.db().newQuery(`
    SELECT count(*) AS count FROM stripe_events
    WHERE object_id = {:subscription} AND created > {:since} AND json_valid(payload)
      AND (payload ->> '$.data.previous_attributes.items' IS NOT NULL
        OR payload ->> '$.data.previous_attributes.plan' IS NOT NULL
        OR payload ->> '$.data.previous_attributes.quantity' IS NOT NULL)
  `).bind({
    subscription: `${subscription}`, since: new Date(date * 1000).toISOString().replace("T", " "),
  }).one(found)
  return found.count > 0
}

module.exports = { usePreview }
