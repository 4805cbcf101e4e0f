"""What may explain an effect: checks of a substitution against structure, sequence, annotation."""
