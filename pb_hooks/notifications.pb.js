/// <reference path="../pb_data/types.d.ts" />
// The routes by which the gateway tells people what happened. What they do lies in lib/.

// The outbox of notifications: one to send, what became of it, and what is to be sent again.
routerAdd("POST", "/api/gateway/notifications/claim", (e) => {
  const { claim } = require(`${__hooks}/lib/notifications/outbox.js`)
  return e.json(200, claim($app, require(`${__hooks}/lib/requests/schemas.js`).read(e, "CLAIM")))
}, $apis.requireSuperuserAuth())

routerAdd("POST", "/api/gateway/notifications/settle", (e) => {
  const { settle } = require(`${__hooks}/lib/notifications/outbox.js`)
  return e.json(200, settle($app, require(`${__hooks}/lib/requests/schemas.js`).read(e, "SETTLE")))
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
