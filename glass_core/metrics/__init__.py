"""What two structures say about their difference. All in Å, NaN = no value."""
