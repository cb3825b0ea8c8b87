"""What the demo and the simulation tell: a cast, its papers, and the steps of a redemption, through the operations."""
