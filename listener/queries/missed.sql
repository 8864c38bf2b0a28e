-- How many transactions could not write their events.
select case when is_called then last_value else 0 end from portal.event_missed
