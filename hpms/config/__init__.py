"""From composed values to typed options."""
