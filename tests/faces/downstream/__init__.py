"""A project that uses the app: what its own tests and commands see. ``test_downstream.py`` runs them."""
