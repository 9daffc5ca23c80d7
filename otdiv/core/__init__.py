"""What every room stands on: argument checks, intervals, proved rounding, memory, tables of text."""
