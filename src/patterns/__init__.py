"""Six patterns that working programmers get wrong: broken, then proven."""
