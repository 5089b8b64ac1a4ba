"""`vedette sla import openslo` and `vedette sla export openslo`: service level objectives as OpenSLO v1 says them."""
