"""The ways out of the house: each takes one message to where its channel leads, or says why it could not."""
