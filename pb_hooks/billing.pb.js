/// <reference path="../pb_data/types.d.ts" />
// Routes of subscription changes and usage reports.
// Why here: a preview is used once across all gateways, and who is billed follows from rows in one query.

// Marks a preview as used: {preview, key, subscription, date, now, is_credit}.
routerAdd("POST", "/api/gateway/previews/use", (e) => {
  const { read } = require(`${__hooks}/lib/requests/schemas.js`)
  const { usePreview } = require(`${__hooks}/lib/billing/previews.js`)
  return e.json(200, usePreview($app, read(e, "PREVIEW")))
}, $apis.bodyLimit(4096), $apis.requireSuperuserAuth())

// The customer that usage is reported for: {user or organization, meter}.
routerAdd("POST", "/api/gateway/metered", (e) => {
  const { readMetered } = require(`${__hooks}/lib/billing/usage.js`)
  const asked = require(`${__hooks}/lib/requests/schemas.js`).read(e, "METERED")
  return e.json(200, readMetered(e.app, asked))
}, $apis.bodyLimit(4096), $apis.requireSuperuserAuth())
