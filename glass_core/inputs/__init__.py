"""From what a user typed or dropped to proteins and variants."""
