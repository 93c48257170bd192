"""What Quarterdeck is measured beside: each the obvious way to do the same without it."""
