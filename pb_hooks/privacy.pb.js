/// <reference path="../pb_data/types.d.ts" />
// Export and deletion of a user's personal data (docs/personal-data.md). Superusers only.
// Why here: rows are found by any of their texts and changed in parts, which PocketBase's record API can't do.

// Deletes the user and marks the Stripe objects: {user, customers, objects, contacts, names}.
routerAdd("POST", "/api/gateway/privacy/begin", (e) => {
  const { begin } = require(`${__hooks}/lib/privacy/erase.js`)
  begin($app, require(`${__hooks}/lib/requests/schemas.js`).read(e, "ERASURE"))
  return e.noContent(204)
}, $apis.requireSuperuserAuth())

// Erases one part of a collection: see lib/privacy/erase.js.
routerAdd("POST", "/api/gateway/privacy/erase", (e) => {
  const { erasePart } = require(`${__hooks}/lib/privacy/erase.js`)
  return e.json(200, erasePart($app, require(`${__hooks}/lib/requests/schemas.js`).read(e, "ERASE_PART")))
}, $apis.requireSuperuserAuth())

// Returns {ids, next}: the ids of rows that contain one of the texts, in one part of a collection.
routerAdd("POST", "/api/gateway/privacy/find", (e) => {
  const { findRows } = require(`${__hooks}/lib/privacy/find.js`)
  const { rows, next } = findRows($app, require(`${__hooks}/lib/requests/schemas.js`).read(e, "FIND_PART"))
  return e.json(200, { ids: rows.map(({ id }) => id), next })
}, $apis.requireSuperuserAuth())

// Completes a deletion: {user, customers, objects, contacts, names, vacuum}.
routerAdd("POST", "/api/gateway/privacy/finish", (e) => {
  const { finish } = require(`${__hooks}/lib/privacy/erase.js`)
  return e.json(200, finish($app, require(`${__hooks}/lib/requests/schemas.js`).read(e, "ERASURE")))
}, $apis.requireSuperuserAuth())
