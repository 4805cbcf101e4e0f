"""Long work that is kept: the store, screens piece by piece, jobs, bundles."""
