"""Schedules: functions that run at the ticks of a cron expression (`Gateway.schedule`)."""
