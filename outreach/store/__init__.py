"""The store: the only place where flows meet. One class for each aggregate, all on one `Database`."""
