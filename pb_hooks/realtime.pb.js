/// <reference path="../pb_data/types.d.ts" />
// Limits realtime subscriptions, so that publishing can't block other requests.

require(`${__hooks}/lib/policy.js`).readRealtimeLimits()

onRealtimeSubscribeRequest((e) => {
  require(`${__hooks}/lib/realtime.js`).limitSubscriptions(e)
  e.next()
})
