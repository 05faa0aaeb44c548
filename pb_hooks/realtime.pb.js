/// <reference path="../pb_data/types.d.ts" />
// Keeps realtime from holding up everything else.

require(`${__hooks}/lib/policy.js`).readRealtimeLimits()

onRealtimeSubscribeRequest((e) => {
  require(`${__hooks}/lib/realtime.js`).limitSubscriptions(e)
  e.next()
})
