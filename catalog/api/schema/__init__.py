"""The API's description of itself, in OpenAPI 3.1. A view says what is its own in `operations`; the rest is read."""
