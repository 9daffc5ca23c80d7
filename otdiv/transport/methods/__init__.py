"""The methods that propose a plan and potentials; each file is one of them."""
