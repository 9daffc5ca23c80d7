"""Chapters on generative models: the traditional GAN, energy-based generators, InfoGAN and Bayesian GAN."""
