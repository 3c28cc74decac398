"""The schema's history, one revision a file; run in code by `outreach.store.schema`."""
