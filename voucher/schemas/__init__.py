"""What comes in and what goes out: the shape of forms and JSON bodies, and the sentences of refusals."""
