"""One file per verb: build the objects, call, record, report."""
