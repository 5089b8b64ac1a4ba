"""The controller: results, timeline, outages, SLA."""
