"""What proves an answer: certificates, transforms, and the alternatives of duality."""
