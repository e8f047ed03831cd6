"""Applications that show how to use Warmline in your own."""
