"""A second, deliberately naive implementation of SLA accounting, and a lottery of contracts to try both on."""
