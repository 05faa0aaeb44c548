/// <reference path="../pb_data/types.d.ts" />
// Entitlements that end by time alone. Superusers only.
// Why here: they are marked by one statement.

// Marks ended entitlements; returns {changed}, their number.
routerAdd("POST", "/api/gateway/entitlements/lapse", (e) => {
  return e.json(200, require(`${__hooks}/lib/entitlements/lapse.js`).markLapsed($app))
}, $apis.requireSuperuserAuth())
