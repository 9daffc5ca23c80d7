"""The objectives of generative adversarial networks on finite distributions, exactly."""
