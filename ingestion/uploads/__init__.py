"""Files that people hand in through the admin: received, checked, loaded by a worker."""
