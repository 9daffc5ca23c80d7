"""Many small transport problems in compiled batches, a certificate for each."""
