/// <reference path="../pb_data/types.d.ts" />
// The routes by which the gateway tells people what happened. What they do lies in lib/.

// The outbox of notifications: one to send, what became of it, and what is to be sent again.
routerAdd("POST", "/api/gateway/notifications/{step}", (e) => {
  const steps = require(`${__hooks}/lib/notifications.js`).STEPS
  const name = e.request.pathValue("step")
  if (!Object.keys(steps).includes(name)) throw new NotFoundError()
  const asked = require(`${__hooks}/lib/inputs.js`).read(e, "NOTIFICATIONS", name)
  return e.json(200, steps[name]($app, asked))
}, $apis.requireSuperuserAuth())

// Sends one mail: {from, to, subject, text, html, headers}.
routerAdd("POST", "/api/gateway/mail", (e) => {
  const { sendMail } = require(`${__hooks}/lib/mail.js`)
  const mail = require(`${__hooks}/lib/inputs.js`).read(e, "MAIL")
  return e.json(200, sendMail($app, mail))
}, $apis.requireSuperuserAuth())
