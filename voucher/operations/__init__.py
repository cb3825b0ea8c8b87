"""What the product does, one module a verb. Operations flush; the entry point commits once."""
