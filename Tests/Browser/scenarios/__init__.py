"""The scenarios, a file for each kind of signal. `catalogue.scenario` adds one to the list."""
