/// <reference path="../pb_data/types.d.ts" />
// Routes of the notification outbox, and the one that sends a mail.
// Why here: one gateway at a time gets an entry, in a transaction; mails use PocketBase's SMTP settings.

// Hands out one due entry, stores its outcome, or queues entries again.
routerAdd("POST", "/api/gateway/notifications/claim", (e) => {
  const { claim } = require(`${__hooks}/lib/notifications/outbox.js`)
  return e.json(200, claim($app, require(`${__hooks}/lib/requests/schemas.js`).read(e, "CLAIM")))
}, $apis.requireSuperuserAuth())

routerAdd("POST", "/api/gateway/notifications/complete", (e) => {
  const { complete } = require(`${__hooks}/lib/notifications/outbox.js`)
  return e.json(200, complete($app, require(`${__hooks}/lib/requests/schemas.js`).read(e, "COMPLETE")))
}, $apis.requireSuperuserAuth())

routerAdd("POST", "/api/gateway/notifications/retry", (e) => {
  const { retry } = require(`${__hooks}/lib/notifications/outbox.js`)
  return e.json(200, retry($app, require(`${__hooks}/lib/requests/schemas.js`).read(e, "RETRY")))
}, $apis.requireSuperuserAuth())

// Sends one mail: {from, to, subject, text, html, headers}.
routerAdd("POST", "/api/gateway/mail", (e) => {
  const { sendMail } = require(`${__hooks}/lib/notifications/mail.js`)
  const mail = require(`${__hooks}/lib/requests/schemas.js`).read(e, "MAIL")
  return e.json(200, sendMail($app, mail))
}, $apis.requireSuperuserAuth())
