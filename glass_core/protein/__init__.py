"""What a protein and a variant are: sequence, structure, numbering, notation, annotation."""
