/// <reference path="../pb_data/types.d.ts" />
// What changes of subscriptions need besides the buyer.

// A preview is used: {preview, key, subscription, date, now, is_credit}.
routerAdd("POST", "/api/gateway/previews/use", (e) => {
  const { read } = require(`${__hooks}/lib/requests/schemas.js`)
  const { usePreview } = require(`${__hooks}/lib/billing/previews.js`)
  return e.json(200, usePreview($app, read(e, "PREVIEW")))
}, $apis.bodyLimit(4096), $apis.requireSuperuserAuth())
