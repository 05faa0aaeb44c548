/// <reference path="../pb_data/types.d.ts" />
// What changes of subscriptions need besides the buyer.

// A preview is used: {preview, key, subscription, date}.
routerAdd("POST", "/api/gateway/previews/use", (e) => {
  const { usePreview } = require(`${__hooks}/lib/previews.js`)
  return e.json(200, usePreview($app, e.requestInfo().body))
}, $apis.bodyLimit(4096), $apis.requireSuperuserAuth())
