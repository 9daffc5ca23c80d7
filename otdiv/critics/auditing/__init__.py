"""The audit of any critic, trained by otdiv or elsewhere."""
