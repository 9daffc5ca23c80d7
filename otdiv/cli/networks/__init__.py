"""Commands of critics and generators: train them, audit them, judge what they give."""
