"""Spanning trees and forests: bases of the network simplex, and flows that the masses determine."""
