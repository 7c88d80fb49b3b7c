"""Values of the mail copy: folders, messages, flags, batches, limits. Pure."""
