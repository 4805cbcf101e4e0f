"""Training of the heads that tell properties of whole proteins."""
