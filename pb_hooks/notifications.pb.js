/// <reference path="../pb_data/types.d.ts" />
// The routes by which the gateway tells people what happened. What they do lies in lib/.

// The outbox of notifications: one to send, what became of it, and what is to be sent again.
routerAdd("POST", "/api/gateway/notifications/{step}", (e) => {
  const steps = require(`${__hooks}/lib/notifications.js`).STEPS
  const step = steps[e.request.pathValue("step")]
  if (!step) throw new NotFoundError()
  return e.json(200, step($app, e.requestInfo().body))
}, $apis.requireSuperuserAuth())

// Sends one mail: {from, to, subject, text, html, headers}.
routerAdd("POST", "/api/gateway/mail", (e) => {
  const { sendMail } = require(`${__hooks}/lib/mail.js`)
  return e.json(200, sendMail($app, e.requestInfo().body))
}, $apis.requireSuperuserAuth())
