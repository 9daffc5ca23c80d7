"""Generative adversarial networks: objectives in exact arithmetic of finite distributions."""
