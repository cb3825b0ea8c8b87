"""What the policies say: pure functions over plain values, without database or request."""
