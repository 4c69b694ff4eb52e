"""Auth documents: read with positions, checked against the schema, layered and made into targets."""
