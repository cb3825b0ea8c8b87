"""HTML for people: one blueprint per audience, and the presentation they share."""
